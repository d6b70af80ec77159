"""The stage: base, base well prompted and specialist answer the same test rows, base and specialist the suites.

Nothing is judged here: items.jsonl holds every answer with its scores, arms.json what was compared and how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from burnish.core.files import read_json, sha256_of_file, sha256_of_json, write_bytes, write_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals import suites
from burnish.evals.arms import TUNED, ArmName, Decoding, Models, Progress, answer_room
from burnish.evals.contenders import Contender, Served, answer_served, check_contenders
from burnish.evals.drift import drift_entry, drift_parts
from burnish.evals.effects.exposure import SUITE as CANARY
from burnish.evals.effects.exposure import ask_canaries
from burnish.evals.items_file import Part, answer_parts, lines_before
from burnish.evals.label_confidence import weighing
from burnish.evals.memory_suite import MemorySuite
from burnish.evals.opponent import make_prompts
from burnish.evals.opponents import choose_prompts, task_of_each
from burnish.evals.preference import METRIC as PREFERENCE
from burnish.evals.preference import compare_answers
from burnish.evals.retention import memory_suites
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
    contenders: Sequence[Contender] = (),
    like: RunFolder | None = None,
) -> None:
    """Writes arms.json and items.jsonl; goes on where it stopped when settings, models and data are the same.

    `instructions` are the user's own for the prompted opponent. `identity` holds the hashes of model and adapter, and
    of the file that the metric needs, if any; that file is named absolutely. `contenders` are the opponents with
    weights of their own. `like` is a run whose opponents' answers are taken where they must be the same.
    Raises DataError: nothing to test on, or an expected answer that the metric cannot grade; RecipeError: an opponent
    cannot take part; Stopped: the disk is full.
    """
    shared = _key(folder, settings, instructions, seed, identity, contenders)
    key = sha256_of_json({"shared": shared, "weights": identity.get("weights")})
    data = read_task_data(folder, settings, seed)
    check_contenders(contenders, renderer, decided_by=_decided_by(data), example_counts=settings.example_counts)
    decoding = Decoding(
        settings.max_new_tokens or answer_room(data.train, renderer, data.context),
        renderer.stop_ids,
        settings.temperature,
        settings.samples,
        seed,
    )
    grade = make_grader(data.metric, data.keys, data.labels)
    _warn(data, settings, say)
    maker = make_prompts(data, renderer, decoding, instructions, seed)
    weighed = weighing(data, renderer, settings.calibration, settings.arms)
    base = Task(data.metric, grade, renderer, decoding, maker, None, weighed=weighed)
    memory = memory_suites(settings.retention, renderer)
    plan = read_json(folder.arms) if folder.arms.exists() else {}
    if plan.get("key") == key:
        say("going on with the evaluation that was begun")
    else:
        folder.items.unlink(missing_ok=True)
        plan = {**_plan(settings, data, decoding, instructions), "seed": seed, "identity": dict(identity), "key": key,
                "shared_key": shared}  # fmt: skip
        plan |= {"suites": [suite.entry for suite in memory], "drift": drift_entry(settings.retention)}
        known = read_json(like.arms) if like is not None and like.arms.exists() else {}
        if like is not None and known.get("shared_key") == shared:
            plan |= {part: known[part] for part in ("prompted", "fixed", "others")}
            write_bytes(folder.items, lines_before(like.items, TUNED))
            say(f"the opponents' answers are those of {like.name}: same models, same rows")
        else:
            plan |= choose_prompts(plan, base, data, models, contenders, settings, instructions, say)
        write_json(folder.arms, plan)
    tasks = task_of_each(plan, base, data, contenders, instructions)
    parts = _parts(plan, data, tasks, memory, contenders, say) + drift_parts(settings.retention, renderer, models)
    answer_parts(folder.items, parts, models, say)


def _decided_by(data: TaskData) -> str:
    """What decides the task, in the words of `check_contenders`."""
    if data.texts or data.pairs:
        return "texts" if data.texts else "pairs"
    return "loss" if data.metric.type == "loss" else "answers"


def _warn(data: TaskData, settings: EvaluateSettings, say: Say) -> None:
    if not data.test and not isinstance(settings.metric, AutoMetric):
        say("evaluate.metric is of no use here: plain texts are read, of two answers the likelier is taken")
    elif isinstance(data.metric, CodeMetric):
        from burnish.graders.code import warning

        say(warning(data.metric))


def _key(
    folder: RunFolder,
    settings: EvaluateSettings,
    instructions: str | None,
    seed: int,
    identity: Mapping[str, Any],
    contenders: Sequence[Contender],
) -> str:
    """Changes with anything that an opponent's item depends on: all but the specialist's weights."""
    files = [folder.train, folder.dev, folder.test, folder.data_card]
    return sha256_of_json(
        {
            "settings": {**settings.compared(), "seed": None},
            "instructions": instructions,
            "seed": seed,
            "identity": {name: value for name, value in identity.items() if name != "weights"},
            "others": {one.name: dict(one.identity) for one in contenders},
            "data": {file.name: sha256_of_file(file) for file in files},
            "suites": suites.fingerprint(),
        }
    )


def _plan(settings: EvaluateSettings, data: TaskData, decoding: Decoding, instructions: str | None) -> dict[str, Any]:
    """What the judge needs, before any answer is known."""
    opponents = list(settings.arms)
    why_not = "" if "prompted" in opponents else "left out in the recipe"
    if data.texts:
        opponents, why_not = _without_prompted(opponents), "plain text is read, not asked: there is no prompt"
        task: dict[str, Any] = {"metric": "loss", "shape": "plain text", "higher_is_better": False}
    elif data.pairs:
        task = {"metric": PREFERENCE, "shape": data.kind, "higher_is_better": True}
        if "prompted" in opponents and not instructions:
            opponents, why_not = (
                _without_prompted(opponents),
                "no prompt is searched for preferences, and data.instructions gives none",
            )
    else:
        metric = data.metric
        task = {
            "metric": score_that_decides(metric),
            "shape": metric.type,
            "higher_is_better": higher_is_better(metric),
            "settings": metric.model_dump(mode="json"),
            "labels": list(data.labels),
        }
    return {
        "specialist": "tuned",
        "opponents": opponents,
        "task": {**task, "n": len(data.test or data.pairs or data.texts), "texts_left_out": data.left_out},
        "prompted": {"left_out": why_not} if why_not else {},
        "decoding": decoding.to_json(),
    }


def _without_prompted(opponents: Sequence[str]) -> list[str]:
    """Where nothing can be prompted; who then has no opponent left is compared with the base model."""
    return [name for name in opponents if name != "prompted"] or ["base"]


def _parts(
    plan: Mapping[str, Any],
    data: TaskData,
    tasks: Mapping[ArmName, Task],
    memory: Sequence[MemorySuite],
    contenders: Sequence[Contender],
    say: Say,
) -> list[Part]:
    """What is asked of whom, in the order of items.jsonl: all of one model in a row, so that it is loaded once, and the
    specialist last.
    """

    def answer(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return answer_rows(decoder, tasks[arm], arm, rows, progress)

    def read(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return read_texts(decoder, tasks[arm].renderer, arm, rows)

    def prefer(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return compare_answers(decoder, tasks[arm], arm, rows)

    def exposed(decoder: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return ask_canaries(decoder, tasks[arm].renderer, arm, rows, progress)

    rows, ask = (data.texts, read) if data.texts else (data.pairs, prefer) if data.pairs else (data.test, answer)
    parts = [Part("task", arm, rows, ask) for arm in ("base", "prompted", *plan["fixed"]) if arm in plan["opponents"]]
    parts += [Part(suite.name, "base", suite.rows, suite.answer) for suite in memory]
    parts += [Part(CANARY, "base", data.canaries, exposed)]
    for one in contenders:
        parts.append(Part("task", one.name, rows, _ask_served(one, tasks, say) if isinstance(one, Served) else ask))
    parts += [Part("task", TUNED, rows, ask)]
    parts += [Part(suite.name, TUNED, suite.rows, suite.answer) for suite in memory]
    parts += [Part(CANARY, TUNED, data.canaries, exposed)]
    return parts


def _ask_served(one: Served, tasks: Mapping[ArmName, Task], say: Say) -> Callable[..., list[Item]]:
    def ask(nothing: None, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return answer_served(one, tasks[arm], arm, rows, progress, say)

    return ask
