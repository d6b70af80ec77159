"""All opponents of a comparison: the prompt of each, chosen on dev, and how each is asked. The content of arms.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from burnish.evals.arms import BASE, TUNED, ArmName, Models
from burnish.evals.contenders import Contender, Local, Served, described, local_task, own_data, served_messages
from burnish.evals.opponent import choose_opponent, opponent_json
from burnish.evals.preference import ending, instructed_json
from burnish.evals.prompts import Candidate
from burnish.evals.settings import EvaluateSettings
from burnish.evals.task import Task
from burnish.evals.task_data import TaskData

PROMPTED = "prompted"
Say = Callable[[str], None]


def choose_prompts(
    plan: Mapping[str, Any],
    base: Task,
    data: TaskData,
    models: Models,
    contenders: Sequence[Contender],
    settings: EvaluateSettings,
    instructions: str | None,
    say: Say,
) -> dict[str, Any]:
    """`prompted`, `fixed` (the base with so many examples) and `others`, each with the prompt that did best on dev.

    `plan` names the opponents. Raises as `choose_opponent` does.
    """
    asked_too = any(isinstance(one, Served) and one.prompted for one in contenders)
    wanted: dict[str, int | None] = {PROMPTED: None} if PROMPTED in plan["opponents"] or asked_too else {}
    wanted |= settings.example_counts
    made = _of_base(wanted, base, data, models, settings.examples, say) if wanted else {}
    found = made.pop(PROMPTED, {})
    return {
        "prompted": found if PROMPTED in plan["opponents"] else plan["prompted"],
        "fixed": made,
        "others": {
            one.name: _served_json(one, base, data, found)
            if isinstance(one, Served)
            else _local_json(one, base, data, models, settings.examples, instructions, say)
            for one in contenders
        },
    }


def _of_base(
    wanted: Mapping[str, int | None],
    base: Task,
    data: TaskData,
    models: Models,
    most_examples: int | None,
    say: Say,
) -> dict[str, Any]:
    """The base model's prompts: name → how many examples, None for whatever is best."""
    if data.pairs:
        return {name: instructed_json(base.maker, data) for name in wanted}
    made = {}
    with models.base() as decoder:
        for name, exactly in wanted.items():
            say(f"the prompt of the opponent `{name}`")
            choice = choose_opponent(
                decoder, base.maker, data, base.decoding, base.grade, most_examples=most_examples, say=say,
                exactly=exactly,
            )  # fmt: skip
            made[name] = opponent_json(base.maker, choice, data)
    return made


def _local_json(
    one: Local,
    base: Task,
    data: TaskData,
    models: Models,
    most_examples: int | None,
    instructions: str | None,
    say: Say,
) -> dict[str, Any]:
    task = local_task(one, base, data, instructions, None)
    known = {**one.identity, "decoding": described(task.decoding)}
    if data.texts:
        return known
    if data.pairs:
        first = ending(data.pairs[0], data.pairs[0].chosen)
        if one.prompted and instructions:
            return {**known, **instructed_json(task.maker, data)}
    elif one.prompted:
        say(f"the prompt of the opponent `{one.name}`")
        own = own_data(one, data)
        with models.of(one.name) as decoder:
            choice = choose_opponent(
                decoder, task.maker, own, task.decoding, task.grade, most_examples=most_examples, say=say
            )
        return {**known, **opponent_json(task.maker, choice, own)}
    else:
        first = data.test[0]
    return {**known, "prompt": one.renderer.tokenizer.decode(task.prompt(one.name, first))}


def _served_json(one: Served, base: Task, data: TaskData, prompted: Mapping[str, Any]) -> dict[str, Any]:
    """`prompted` is what won for the base model; the first prompt is shown as messages, for its template is unknown."""
    chosen = dict(prompted) if one.prompted else {}
    messages = served_messages(replace(base, winner=winner_in(chosen)), one, data.test[0])
    return {
        **one.identity,
        "first_asked": datetime.now(UTC).date().isoformat(),
        "decoding": described(base.decoding),
        **chosen,
        "prompt": "\n\n".join(f"{message.role}: {message.content}" for message in messages),
    }


def winner_in(made: Mapping[str, Any]) -> Candidate | None:
    """The candidate that an opponent's entry in arms.json holds; None where it reads the row's own prompt."""
    return Candidate.from_json(made["winner"]) if "winner" in made else None


def task_of_each(
    plan: Mapping[str, Any], base: Task, data: TaskData, contenders: Sequence[Contender], instructions: str | None
) -> dict[ArmName, Task]:
    """How each arm is asked. `plan` is the content of arms.json."""
    prompts = {PROMPTED: plan["prompted"], **plan["fixed"]}
    tasks = {BASE: base, TUNED: base}
    tasks |= {name: replace(base, winner=winner_in(made)) for name, made in prompts.items()}
    for one in contenders:
        winner = winner_in(plan["others"][one.name])
        tasks[one.name] = (
            replace(base, winner=winner)
            if isinstance(one, Served)
            else local_task(one, base, data, instructions, winner)
        )
    return tasks
