"""Verdicts of runs → the ladder. The statistics are the verdict's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.evals.judge.judging import replies_of
from burnish.evals.ladder.records import Ladder, LeftOut, Rung, Worst
from burnish.evals.ladder.rule import recommend, with_front
from burnish.evals.paired_items import read_items
from burnish.evals.verdict import judge
from burnish.evals.verdict_records import SuiteVerdict, Verdict
from burnish.evals.verdict_text import arm_name

GENERAL = "general_text"  # the suite whose loss is drawn


def read_ladder(
    runs: Mapping[str, RunFolder],
    changes: Mapping[str, Mapping[str, Any]],
    left_out: Sequence[LeftOut],
    limit: float,
) -> Ladder:
    """The ladder of evaluated runs by the names of their rungs; at least one.

    The verdicts are worked out again from the answers as those of so many specialists tried on one test, so that all
    intervals are of one confidence and hold together. Raises BurnishError: a run was not asked for general text.
    """
    verdicts = {name: _together(run, len(runs)) for name, run in runs.items()}
    first = next(iter(verdicts.values()))
    opponent = first.task.comparisons[0].opponent
    if first.base in (one.opponent for one in first.task.comparisons):
        opponent = first.base
    rungs = with_front([_rung(name, runs[name], verdicts[name], opponent, changes[name]) for name in runs])
    metric = first.task.metric
    name, sentence = recommend(rungs, limit, metric, arm_name(opponent))
    return Ladder(metric, opponent, first.task.confidence, limit, rungs, tuple(left_out), name, sentence)


def _together(run: RunFolder, tries: int) -> Verdict:
    plan = {**read_json(run.arms), "tries": tries}
    return judge(read_items(run), plan, seed=int(plan.get("seed", 0)), judged=replies_of(run, plan))


def _rung(name: str, run: RunFolder, verdict: Verdict, opponent: str, changes: Mapping[str, Any]) -> Rung:
    gain = next(one for one in verdict.task.comparisons if one.opponent == opponent)
    suites = verdict.memory.suites
    text = next((suite for suite in suites if suite.suite == GENERAL), None)
    if text is None:
        raise BurnishError(
            "This run was not asked for general text, so its forgetting cannot be drawn.",
            where=str(run.arms),
            next_move=f"let evaluate.retention.suites hold {GENERAL}",
        )
    seconds = read_json(run.stages)["train"]["seconds"]
    return Rung(
        name=name,
        changes=dict(changes),
        task=verdict.task.outcome,
        gain=gain.delta,
        low=gain.low,
        high=gain.high,
        memory=verdict.memory.outcome,
        forgetting=-text.delta,
        least=-text.high,
        most=-text.low,
        worst=_worst(suites),
        updates=int(read_json(run.training)["steps_done"]),
        seconds=float(seconds),
    )


def _worst(suites: Sequence[SuiteVerdict]) -> Worst | None:
    told = [suite for suite in suites if suite.outcome != "CANNOT SHOW"]
    used = [Worst(suite.suite, -suite.delta / suite.margin) for suite in told]
    return max(used, key=lambda one: one.used, default=None)
