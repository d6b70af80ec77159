"""The verdict: is the specialist better at the task, and has it kept what the base knew?

`judge` is a pure function of the items and of arms.json, so the verdict can be worked out again from the run folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from burnish.core.errors import GateError, RecipeError
from burnish.core.files import read_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows
from burnish.evals.effects.measure import side_effects
from burnish.evals.effects.memorised import learnt_texts
from burnish.evals.judge.judged_file import Judged
from burnish.evals.judge.judging import hear, replies_of
from burnish.evals.judge.outcome import METRIC as JUDGED
from burnish.evals.judge.outcome import with_judged_scores
from burnish.evals.memory_verdict import judge_memory
from burnish.evals.paired_items import read_items
from burnish.evals.task_verdict import LEVEL, judge_task
from burnish.evals.verdict_plan import Plan, plan_of
from burnish.evals.verdict_records import SCHEMA, Verdict

TASK_OUTCOMES = ("BETTER", "WORSE", "NOT PROVEN")
MEMORY_OUTCOMES = ("KEPT", "FORGOTTEN", "NOT PROVEN")


def judge(items: Sequence[Item], plan: Mapping[str, Any], *, seed: int = 0, judged: Sequence[Judged] = ()) -> Verdict:
    """The verdict on the answers of all arms; plan is the content of arms.json, of which `verdict_plan.Plan` is read.
    `judged` are the replies of the judge of free text, if there is one.

    Raises DataError: the arms did not answer the same items, or a score is lacking or not finite. BurnishError: the
    plan lacks something. RecipeError: there is no opponent, or a metric without a margin.
    """
    compared = plan_of(plan)
    heard = None
    if compared.judge is not None and judged:
        level = 1 - LEVEL / compared.tries
        heard = hear(items, judged, compared.specialist, compared.judge, level=level, seed=seed)
    task = judge_task(_scored(items, judged, compared), compared, seed=seed)
    if heard and not heard.able and task.metric == JUDGED:
        task = replace(task, outcome="NOT PROVEN", reason=heard.reason)
    verdict = Verdict(
        schema=SCHEMA,
        specialist=compared.specialist,
        base=compared.base,
        seed=seed,
        task=task,
        memory=judge_memory(items, compared, seed=seed),
        judged=heard,
    )
    return Verdict.from_json(verdict.to_json())  # rounded as in the file, so that the two compare equal


def _scored(items: Sequence[Item], judged: Sequence[Judged], plan: Plan) -> Sequence[Item]:
    """The items with the judge's score, where that decides."""
    if plan.task.metric != JUDGED:
        return items
    return with_judged_scores(items, judged, plan.specialist, plan.opponents)


def scored_items(folder: RunFolder, verdict: Verdict) -> Sequence[Item]:
    """The items of a run with all scores that its verdict is about."""
    items = read_items(folder)
    if verdict.task.metric != JUDGED:
        return items
    opponents = [comparison.opponent for comparison in verdict.task.comparisons]
    return with_judged_scores(items, replies_of(folder, read_json(folder.arms)), verdict.specialist, opponents)


def judge_folder(folder: RunFolder) -> Verdict:
    """The verdict with its side effects, from items.jsonl, judged.jsonl, arms.json and train.jsonl. Writes nothing."""
    plan, items = read_json(folder.arms), read_items(folder)
    seed, judged = int(plan.get("seed", 0)), replies_of(folder, plan)
    train = list(learnt_texts(read_rows(folder.train))) if folder.train.exists() else None
    compared = plan_of(plan)
    effects = side_effects(_scored(items, judged, compared), compared, train, seed=seed)
    verdict = replace(judge(items, plan, seed=seed, judged=judged), effects=effects)
    return Verdict.from_json(verdict.to_json())


def read_verdict(folder: RunFolder) -> Verdict:
    """verdict.json of a run."""
    return Verdict.from_json(read_json(folder.verdict_json))


def parse_gate(wanted: str) -> dict[str, str]:
    """ "task=BETTER,retention=KEPT" as {"task": "BETTER", "memory": "KEPT"}; empty for a bare gate.

    `memory` is another word for `retention`, and an underscore for a space. Raises RecipeError: anything else.
    """
    conditions: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in wanted.split(","))):
        key, _, value = (piece.strip() for piece in part.partition("="))
        side = {"task": "task", "retention": "memory", "memory": "memory"}.get(key.lower(), "")
        outcome = value.upper().replace("_", " ")
        if outcome not in {"task": TASK_OUTCOMES, "memory": MEMORY_OUTCOMES, "": ()}[side]:
            raise RecipeError(
                "This gate cannot be read.",
                where="--gate",
                seen=part,
                next_move=f"task={'|'.join(TASK_OUTCOMES)}, retention={'|'.join(MEMORY_OUTCOMES)}".replace(" P", "_P"),
            )
        conditions[side] = outcome
    return conditions


def gate(verdict: Verdict, wanted: str) -> None:
    """Passes in silence or raises GateError. An empty `wanted` asks for BETTER and not FORGOTTEN."""
    conditions = parse_gate(wanted)
    seen = {"task": verdict.task.outcome, "memory": verdict.memory.outcome}
    if conditions:
        missed = [f"{side} should be {value}" for side, value in conditions.items() if seen[side] != value]
    else:
        missed = ["task should be BETTER"] if verdict.task.outcome != "BETTER" else []
        missed += ["memory should not be FORGOTTEN"] if verdict.memory.outcome == "FORGOTTEN" else []
    if missed:
        raise GateError(
            f"The verdict does not meet the gate: {', '.join(missed)}.",
            seen=f"task {seen['task']}, memory {seen['memory']}",
            next_move="read verdict.md for what decided it",
        )
