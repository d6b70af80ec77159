"""Has the specialist kept what the base knew? Non-inferiority within a stated margin, suite by suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from burnish.core.records import Item
from burnish.evals.margins import margin_for
from burnish.evals.paired_items import Suite, suite_of
from burnish.evals.power import smallest_shift
from burnish.evals.statistics import holm, is_binary, mean_interval, one_sided_p, paired_difference, scores_of
from burnish.evals.task_verdict import arm_scores
from burnish.evals.verdict_plan import Plan, SuitePlan
from burnish.evals.verdict_records import Drift, MemoryOutcome, MemoryVerdict, SuiteOutcome, SuiteVerdict
from burnish.evals.wording import difference_text, score_text

LEVEL = 0.05  # one-sided


def judge_memory(items: Sequence[Item], plan: Plan, *, seed: int) -> MemoryVerdict:
    """KEPT when every suite that counts is non-inferior, FORGOTTEN when any loss is shown to exceed its margin (Holm).

    Raises DataError: the arms did not answer the same items.
    """
    suites = [_judge_suite(items, suite, plan.specialist, plan.base, seed) for suite in plan.suites]
    counted = [suite for suite in suites if suite.outcome != "CANNOT SHOW"]
    adjusted = dict(
        zip((suite.suite for suite in counted), holm([suite.p_forgotten for suite in counted]), strict=True)
    )
    decided = tuple(_decided(suite, adjusted.get(suite.suite, 1.0)) for suite in suites)
    outcome, reason = _outcome(decided)
    return MemoryVerdict(outcome, reason, decided, judge_drift(items, plan.specialist, seed=seed))


def judge_drift(items: Sequence[Item], specialist: str, *, seed: int) -> Drift | None:
    """How far the specialist has moved from the base; None where that was not measured."""
    measured = [item.scores for item in items if item.suite == "drift" and item.arm == specialist]
    if not measured:
        return None
    return Drift(
        kl=mean_interval([scores["kl"] for scores in measured], seed=seed),
        same_token=mean_interval([scores["same_token"] for scores in measured], seed=seed),
        tokens=round(sum(scores["tokens"] for scores in measured)),
    )


def _judge_suite(items: Sequence[Item], plan: SuitePlan, specialist: str, base: str, seed: int) -> SuiteVerdict:
    """One suite with all its numbers; the outcome is NOT PROVEN or CANNOT SHOW until `_decided`."""
    suite, metric = suite_of(items, plan.name, [base, specialist]), plan.metric
    margin = margin_for(suite.name, metric, plan.margin)
    sign = 1.0 if plan.higher_is_better else -1.0
    ours = (sign * scores_of(suite.scores(specialist, metric))).tolist()
    theirs = (sign * scores_of(suite.scores(base, metric))).tolist()
    estimate = paired_difference(ours, theirs, level=1 - 2 * LEVEL, null=-margin.size, seed=seed)
    above, below = one_sided_p(ours, theirs, null=-margin.size, seed=seed)
    shift = smallest_shift(float(np.std(np.subtract(ours, theirs))), estimate.n, one_sided=True)
    doubt = _no_better_than_chance(suite, plan, base, margin.size)
    return SuiteVerdict(
        suite=suite.name,
        outcome="CANNOT SHOW" if doubt else "NOT PROVEN",
        reason=doubt,
        metric=metric,
        higher_is_better=plan.higher_is_better,
        margin=margin.size,
        margin_reason=margin.reason,
        arms=tuple(arm_scores(suite, arm, seed=seed) for arm in (base, specialist)),
        delta=estimate.delta,
        low=estimate.low,
        high=estimate.high,
        p_kept=above,
        p_forgotten=below,
        p_forgotten_holm=1.0,
        n=estimate.n,
        method=estimate.method,
        could_show=f"{estimate.n} items can show a loss of {difference_text(metric, shift).lstrip('+')} or more.",
    )


def _no_better_than_chance(suite: Suite, plan: SuitePlan, base: str, margin: float) -> str:
    """Why the suite cannot show forgetting; empty when it can.

    Chance is a rate of right answers: it is compared with `correct` where the items carry it, else with the metric
    itself. There the base must also have more to lose than the margin, or nothing could ever exceed it.
    """
    by_accuracy = "correct" in suite.metrics(base)
    metric = "correct" if by_accuracy else plan.metric
    scores = suite.scores(base, metric)
    if plan.chance is None and not (plan.higher_is_better and is_binary(scores_of(scores))):
        return ""
    floor = (plan.chance or 0.0) + (margin if metric == plan.metric else 0.0)
    mean = mean_interval(scores, level=1 - 2 * LEVEL)
    if mean.low > floor:
        return ""
    return (
        f"This suite cannot show forgetting: the base reaches {score_text(metric, mean.mean)}, "
        f"which is not shown to be above {score_text(metric, floor)}, so there is too little to lose."
    )


def _decided(suite: SuiteVerdict, p_forgotten_holm: float) -> SuiteVerdict:
    if suite.outcome == "CANNOT SHOW":
        return suite
    margin = difference_text(suite.metric, suite.margin).lstrip("+")
    outcome: SuiteOutcome = "NOT PROVEN"
    reason = f"The loss may be smaller or larger than the margin of {margin}: this suite cannot tell."
    if suite.low > -suite.margin:
        outcome, reason = "KEPT", f"Any loss is shown to be smaller than the margin of {margin}."
    elif suite.high < -suite.margin and p_forgotten_holm < LEVEL:
        outcome, reason = "FORGOTTEN", f"The loss is shown to be larger than the margin of {margin}."
    return replace(suite, outcome=outcome, reason=reason, p_forgotten_holm=p_forgotten_holm)


def _outcome(suites: Sequence[SuiteVerdict]) -> tuple[MemoryOutcome, str]:
    counted = [suite for suite in suites if suite.outcome != "CANNOT SHOW"]
    forgotten = [suite.suite for suite in counted if suite.outcome == "FORGOTTEN"]
    if forgotten:
        return "FORGOTTEN", f"The loss exceeds its margin on {' and '.join(forgotten)}."
    if not counted:
        return "NOT PROVEN", "No suite was run that could show forgetting."
    unclear = [suite.suite for suite in counted if suite.outcome == "NOT PROVEN"]
    if unclear:
        return "NOT PROVEN", f"A loss above its margin is not ruled out on {' and '.join(unclear)}."
    return "KEPT", "On every suite that counts, any loss is shown to be smaller than its margin."
