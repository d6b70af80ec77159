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
from burnish.evals.memory_verdict import judge_memory
from burnish.evals.paired_items import read_items
from burnish.evals.task_verdict import judge_task
from burnish.evals.verdict_plan import plan_of
from burnish.evals.verdict_records import SCHEMA, Verdict

TASK_OUTCOMES = ("BETTER", "WORSE", "NOT PROVEN")
MEMORY_OUTCOMES = ("KEPT", "FORGOTTEN", "NOT PROVEN")


def judge(items: Sequence[Item], plan: Mapping[str, Any], *, seed: int = 0) -> Verdict:
    """The verdict on the answers of all arms; plan is the content of arms.json, of which `verdict_plan.Plan` is read.

    Raises DataError: the arms did not answer the same items, or a score is lacking or not finite. BurnishError: the
    plan lacks something. RecipeError: there is no opponent, or a metric without a margin.
    """
    compared = plan_of(plan)
    verdict = Verdict(
        schema=SCHEMA,
        specialist=compared.specialist,
        base=compared.base,
        seed=seed,
        task=judge_task(items, compared, seed=seed),
        memory=judge_memory(items, compared, seed=seed),
    )
    return Verdict.from_json(verdict.to_json())  # rounded as in the file, so that the two compare equal


def judge_folder(folder: RunFolder) -> Verdict:
    """The verdict with its side effects, from items.jsonl, arms.json and train.jsonl; nothing is written."""
    plan, items = read_json(folder.arms), read_items(folder)
    seed = int(plan.get("seed", 0))
    train = list(learnt_texts(read_rows(folder.train))) if folder.train.exists() else None
    effects = side_effects(items, plan_of(plan), train, seed=seed)
    verdict = replace(judge(items, plan, seed=seed), effects=effects)
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
