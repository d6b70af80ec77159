"""Is the specialist better at the task than every opponent? Per item, paired, about these weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.core.errors import RecipeError
from burnish.core.records import Item
from burnish.evals.corpus_scores import corpus_scores
from burnish.evals.paired_items import Suite, suite_of
from burnish.evals.power import can_show, smallest_gain, smallest_shift
from burnish.evals.sampling import sampling_of
from burnish.evals.statistics import Mean, holm, is_binary, mean_interval, paired_difference, scores_of
from burnish.evals.verdict_plan import Plan, TaskPlan
from burnish.evals.verdict_records import ArmScores, Comparison, TaskOutcome, TaskVerdict
from burnish.evals.wording import difference_text

LEVEL = 0.05


def arm_scores(suite: Suite, arm: str, *, task: TaskPlan | None = None, seed: int) -> ArmScores:
    """Every metric of one arm; of a task also the scores that belong to all answers together."""
    metrics: dict[str, Mean] = {}
    for metric in suite.metrics(arm):
        name = "accuracy" if metric == "correct" else metric
        metrics[name] = mean_interval(suite.scores(arm, metric), seed=seed)
    return ArmScores(arm, metrics | (corpus_scores(task, suite.arms[arm], seed=seed) if task else {}))


def judge_task(items: Sequence[Item], plan: Plan, *, seed: int) -> TaskVerdict:
    """BETTER when the interval is above zero against every opponent, WORSE when below zero against any (Holm).

    Raises RecipeError: no opponent. DataError: the arms did not answer the same items.
    """
    specialist, opponents, metric = plan.specialist, plan.opponents, plan.task.metric
    higher_is_better = plan.task.higher_is_better
    if not opponents:
        raise RecipeError("There is no opponent to compare with.", next_move="name `base` in evaluate.opponents")
    suite = suite_of(items, "task", [specialist, *opponents])
    level = LEVEL / plan.tries  # Bonferroni: the best of several tries may not be called better by chance
    comparisons = compared(suite, specialist, opponents, metric, higher_is_better, seed, level=level)
    outcome, reason = _decide(comparisons, level)
    return TaskVerdict(
        outcome=outcome,
        reason=reason,
        metric=metric,
        higher_is_better=higher_is_better,
        n=len(suite.arms[specialist]),
        tries=plan.tries,
        arms=tuple(arm_scores(suite, arm, task=plan.task, seed=seed) for arm in (*opponents, specialist)),
        comparisons=comparisons,
        could_show=_could_show(suite, specialist, opponents, metric, min(one.delta for one in comparisons)),
        sampling=tuple(filter(None, (sampling_of(arm, suite.arms[arm], metric) for arm in suite.arms))),
    )


def compared(
    suite: Suite,
    specialist: str,
    opponents: Sequence[str],
    metric: str,
    higher_is_better: bool,
    seed: int,
    *,
    level: float = LEVEL,
) -> tuple[Comparison, ...]:
    """One arm against each of the others, item by item; p with Holm's correction over the opponents."""
    estimates, wins = [], []
    for opponent in opponents:
        ours, theirs = suite.scores(specialist, metric), suite.scores(opponent, metric)
        first, second = (ours, theirs) if higher_is_better else (theirs, ours)
        estimates.append(paired_difference(first, second, level=1 - level, seed=seed))
        differences = scores_of(first) - scores_of(second)
        wins.append((int(np.sum(differences > 0)), int(np.sum(differences < 0))))
    adjusted = holm([estimate.p for estimate in estimates])
    return tuple(
        Comparison(
            opponent=opponent,
            metric=metric,
            delta=estimate.delta,
            low=estimate.low,
            high=estimate.high,
            p=estimate.p,
            p_holm=p_holm,
            n=estimate.n,
            won=won,
            lost=lost,
            method=estimate.method,
        )
        for opponent, estimate, p_holm, (won, lost) in zip(opponents, estimates, adjusted, wins, strict=True)
    )


def _decide(comparisons: Sequence[Comparison], level: float) -> tuple[TaskOutcome, str]:
    if all(comparison.low > 0 for comparison in comparisons):
        return "BETTER", "The whole interval of the difference is above zero against every opponent."
    worse = [one.opponent for one in comparisons if one.high < 0 and one.p_holm < level]
    if worse:
        return "WORSE", f"The whole interval of the difference is below zero against {' and '.join(worse)}."
    open_cases = [one.opponent for one in comparisons if one.low <= 0]
    return (
        "NOT PROVEN",
        f"The interval of the difference includes zero, or is below it, against {' and '.join(open_cases)}.",
    )


def _could_show(suite: Suite, specialist: str, opponents: Sequence[str], metric: str, least: float) -> str:
    """From the number of items where they are right or wrong, else from the largest spread that was seen; and whether
    `least`, the smallest difference that came out, is one that this test was likely to show."""
    ours = scores_of(suite.scores(specialist, metric))
    theirs = [scores_of(suite.scores(opponent, metric)) for opponent in opponents]
    if all(map(is_binary, (ours, *theirs))):
        planned = smallest_gain(ours.size)
        return can_show(ours.size) + (_came_out(metric, least, planned) if planned is not None else "")
    shift = smallest_shift(max(float(np.std(ours - other)) for other in theirs), ours.size)
    return (
        f"{ours.size} rows, with differences as scattered as these, can show a gain of "
        f"{difference_text(metric, shift).lstrip('+')} or more with a chance of four in five."
        f"{_came_out(metric, least, shift)}"
    )


def _came_out(metric: str, least: float, planned: float) -> str:
    """The comparison with what was planned for: a gain below it may be real and yet not be shown."""
    seen = difference_text(metric, least)
    if least >= planned:
        return f" What came out, {seen} against the strongest opponent, is at least as much."
    if least <= 0:
        return f" What came out, {seen} against the strongest opponent, is no gain."
    return f" What came out, {seen} against the strongest opponent, is less: a test of this size often misses that."
