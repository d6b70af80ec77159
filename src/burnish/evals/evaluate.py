"""The stage: base, base well prompted and specialist answer the same test rows, base and specialist the shipped suites.

Nothing is judged here: items.jsonl holds every answer with its scores, arms.json what was compared and how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from burnish.core.files import read_json, sha256_of_file, sha256_of_json, write_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals import suites
from burnish.evals.arms import ArmName, Decoding, Models, Progress, answer_room
from burnish.evals.effects.exposure import SUITE as CANARY
from burnish.evals.effects.exposure import ask_canaries
from burnish.evals.items_file import Part, answer_parts
from burnish.evals.label_confidence import weighing
from burnish.evals.opponent import choose_opponent, make_prompts, opponent_json
from burnish.evals.preference import METRIC as PREFERENCE
from burnish.evals.preference import compare_answers, instructed_json
from burnish.evals.prompts import Candidate
from burnish.evals.retention import PLANS, ask_suite, retention_suites
from burnish.evals.settings import EvaluateSettings
from burnish.evals.task import Task, answer_rows, read_texts
from burnish.evals.task_data import TaskData, read_task_data
from burnish.graders.registry import make_grader
from burnish.graders.settings import AutoMetric, CodeMetric, higher_is_better, score_that_decides
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

__all__ = ["Models", "evaluate"]

Say: TypeAlias = Callable[[str], None]


def evaluate(
    folder: RunFolder,
    settings: EvaluateSettings,
    models: Models,
    renderer: Renderer,
    *,
    instructions: str | None,
    seed: int,
    identity: Mapping[str, Any],
    say: Say,
) -> None:
    """Writes arms.json and items.jsonl; goes on where it stopped when settings, models and data are the same.

    `instructions` are the user's own for the prompted opponent. `identity` holds the hashes of model and adapter, and
    of the file that the metric needs, if any; that file is named absolutely.
    Raises DataError: nothing to test on, or an expected answer that the metric cannot grade; Stopped: the disk is full.
    """
    key = _key(folder, settings, instructions, seed, identity)
    data = read_task_data(folder, settings, seed)
    decoding = Decoding(settings.max_new_tokens or answer_room(data.train, renderer, data.context), renderer.stop_ids)
    grade = make_grader(data.metric, data.keys, data.labels)
    _warn(data, settings, say)
    maker = make_prompts(data, renderer, decoding, instructions, seed)
    plan = read_json(folder.arms) if folder.arms.exists() else {}
    if plan.get("key") == key:
        say("going on with the evaluation that was begun")
    else:
        folder.items.unlink(missing_ok=True)
        plan = {**_plan(settings, data, decoding, instructions), "seed": seed, "identity": dict(identity), "key": key}
        if "prompted" in plan["opponents"] and data.pairs:
            plan["prompted"] = instructed_json(maker, data)
        elif "prompted" in plan["opponents"]:
            with models.base() as decoder:
                choice = choose_opponent(
                    decoder, maker, data, decoding, grade, most_examples=settings.examples, say=say
                )
            plan["prompted"] = opponent_json(maker, choice, data)
        write_json(folder.arms, plan)
    winner = Candidate.from_json(plan["prompted"]["winner"]) if "prompted" in plan["opponents"] else None
    weighed = weighing(data, renderer, settings.calibration, plan["opponents"])
    task = Task(data.metric, grade, renderer, decoding, maker, winner, weighed)
    answer_parts(folder.items, _parts(plan, data, task, settings), models, say)


def _warn(data: TaskData, settings: EvaluateSettings, say: Say) -> None:
    if not data.test and not isinstance(settings.metric, AutoMetric):
        say("evaluate.metric is of no use here: plain texts are read, of two answers the likelier is taken")
    elif isinstance(data.metric, CodeMetric):
        from burnish.graders.code import warning

        say(warning(data.metric))


def _key(
    folder: RunFolder, settings: EvaluateSettings, instructions: str | None, seed: int, identity: Mapping[str, Any]
) -> str:
    """Changes with anything that an item depends on."""
    files = [folder.train, folder.dev, folder.test, folder.data_card]
    return sha256_of_json(
        {
            "settings": settings.model_dump(mode="json"),
            "instructions": instructions,
            "seed": seed,
            "identity": dict(identity),
            "data": {file.name: sha256_of_file(file) for file in files},
            "suites": suites.fingerprint(),
        }
    )


def _plan(settings: EvaluateSettings, data: TaskData, decoding: Decoding, instructions: str | None) -> dict[str, Any]:
    """What the judge needs, before any answer is known."""
    opponents = list(settings.opponents)
    why_not = "" if "prompted" in opponents else "left out in the recipe"
    if data.texts:
        opponents, why_not = ["base"], "plain text is read, not asked: there is no prompt"
        task: dict[str, Any] = {"metric": "loss", "shape": "plain text", "higher_is_better": False}
    elif data.pairs:
        task = {"metric": PREFERENCE, "shape": data.kind, "higher_is_better": True}
        if "prompted" in opponents and not instructions:
            opponents, why_not = ["base"], "no prompt is searched for preferences, and data.instructions gives none"
    else:
        metric = data.metric
        task = {
            "metric": score_that_decides(metric),
            "shape": metric.type,
            "higher_is_better": higher_is_better(metric),
            "settings": metric.model_dump(mode="json"),
            "labels": list(data.labels),
        }
    names = retention_suites(settings.retention)
    return {
        "specialist": "tuned",
        "opponents": opponents,
        "task": {**task, "n": len(data.test or data.pairs or data.texts), "texts_left_out": data.left_out},
        "suites": [{"name": name, **PLANS[name], "n": len(items)} for name, items in names.items()],
        "prompted": {"left_out": why_not} if why_not else {},
        "decoding": decoding.to_json(),
    }


def _parts(plan: Mapping[str, Any], data: TaskData, task: Task, settings: EvaluateSettings) -> list[Part]:
    """What is asked of whom, in the order of items.jsonl: all of the base model first, so that it is loaded once."""

    def answer(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return answer_rows(decoder, task, arm, rows, progress)

    def read(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return read_texts(decoder, task.renderer, arm, rows)

    def prefer(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return compare_answers(decoder, task, arm, rows)

    def exposed(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return ask_canaries(decoder, task.renderer, arm, rows, progress)

    rows, ask = (data.texts, read) if data.texts else (data.pairs, prefer) if data.pairs else (data.test, answer)
    memory = retention_suites(settings.retention)
    asked: list[ArmName] = [name for name in ("base", "prompted") if name in plan["opponents"]]
    parts = [Part("task", arm, rows, ask) for arm in asked]
    parts += [Part(name, "base", items, ask_suite(task.renderer, name)) for name, items in memory.items()]
    parts += [Part(CANARY, "base", data.canaries, exposed)]
    parts += [Part("task", "tuned", rows, ask)]
    parts += [Part(name, "tuned", items, ask_suite(task.renderer, name)) for name, items in memory.items()]
    parts += [Part(CANARY, "tuned", data.canaries, exposed)]
    return parts
