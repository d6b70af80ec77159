"""All side effects of a run, from its items, from arms.json and from what train teaches to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from burnish.core.records import Item
from burnish.evals.effects.calibration import calibration
from burnish.evals.effects.exposure import SUITE as CANARY
from burnish.evals.effects.exposure import exposure
from burnish.evals.effects.groups import group_column
from burnish.evals.effects.lengths import spread
from burnish.evals.effects.memorised import verbatim_words
from burnish.evals.effects.records import ArmEffects, GroupColumn, SideEffects, SuiteRefusals
from burnish.evals.effects.refusals import is_refusal
from burnish.evals.effects.repetition import is_loop
from burnish.evals.effects.validity import validity
from burnish.evals.effects.words import words
from burnish.evals.statistics import Mean, mean_interval
from burnish.evals.verdict_plan import Plan, TaskPlan

NOT_ANSWERED = ("plain text", "preference", "loss")  # shapes of tasks in which nothing is generated


def side_effects(items: Sequence[Item], plan: Plan, train: Iterable[str] | None, *, seed: int) -> SideEffects:
    """`train` None: it is not there to be searched."""
    arms = (*plan.opponents, plan.specialist)
    by_arm = {arm: _items(items, "task", arm) for arm in arms}
    valid_means, valid = validity(plan.task.shape, plan.task.labels)
    answered = plan.task.shape not in NOT_ANSWERED and all(by_arm.values())
    spans, searched = _verbatim(by_arm, train, plan.task) if answered else ({}, 0)
    found = [_arm(arm, by_arm[arm], valid, spans.get(arm) if searched else None) for arm in arms] if answered else []
    judged = [calibration(arm, by_arm[arm], plan.task.labels) for arm in arms]
    exposed = [exposure(arm, _items(items, CANARY, arm)) for arm in (plan.base, plan.specialist)]
    return SideEffects(
        valid_means=valid_means if answered else "",
        train_rows=searched,
        arms=tuple(found),
        refusals=tuple(_refusals(items, plan)),
        calibration=tuple(one for one in judged if one is not None),
        exposure=tuple(one for one in exposed if one is not None),
        groups=tuple(_groups(by_arm, plan, seed)),
    )


def _items(items: Sequence[Item], suite: str, arm: str) -> list[Item]:
    return sorted((item for item in items if item.suite == suite and item.arm == arm), key=lambda item: item.id)


def share(items: Sequence[Item], is_so: Callable[[Item], bool]) -> Mean:
    """How many items something is true of, with its interval."""
    return mean_interval([float(is_so(item)) for item in items])


def _arm(arm: str, items: Sequence[Item], valid: Callable[[str], bool], spans: Sequence[int] | None) -> ArmEffects:
    shares = {
        "valid": share(items, lambda item: valid(item.output)),
        "looping": share(items, lambda item: is_loop(item.output)),
        "refused": share(items, lambda item: is_refusal(item.output)),
    }
    told = all("tokens" in item.facts for item in items)
    if told:
        shares["cut_off"] = share(items, lambda item: not item.facts["stopped"])
    if spans is not None:
        shares["verbatim"] = mean_interval([float(span > 0) for span in spans])
    return ArmEffects(
        arm=arm,
        words=spread([len(words(item.output)) for item in items]),
        tokens=spread([int(item.facts["tokens"]) for item in items]) if told else None,
        shares=shares,
        longest_verbatim=max(spans) if spans is not None else None,
    )


def _verbatim(
    by_arm: dict[str, list[Item]], train: Iterable[str] | None, task: TaskPlan
) -> tuple[dict[str, list[int]], int]:
    if train is None:
        return {}, 0
    everything = [item for items in by_arm.values() for item in items]
    spans, searched = verbatim_words([(item.prompt, item.output) for item in everything], train, task.labels)
    rest = iter(spans)
    return {arm: [next(rest) for _ in items] for arm, items in by_arm.items()}, searched


def _refusals(items: Sequence[Item], plan: Plan) -> Iterable[SuiteRefusals]:
    """Of the suites whose items hold generated answers."""
    for suite in plan.suites:
        arms = {arm: _items(items, suite.name, arm) for arm in (plan.base, plan.specialist)}
        if all(found and all("tokens" in item.facts for item in found) for found in arms.values()):
            refused = {arm: share(found, lambda item: is_refusal(item.output)) for arm, found in arms.items()}
            yield SuiteRefusals(suite.name, refused)


def _groups(by_arm: dict[str, list[Item]], plan: Plan, seed: int) -> Iterable[GroupColumn]:
    first = by_arm[plan.specialist]
    columns = dict.fromkeys(column for item in first for column in item.facts.get("columns", {}))
    for column in columns:
        values = [str(item.facts.get("columns", {}).get(column, "")) or "(empty)" for item in first]
        scores = {arm: [item.scores[plan.task.metric] for item in items] for arm, items in by_arm.items()}
        yield group_column(column, values, plan.task.metric, scores, seed=seed)
