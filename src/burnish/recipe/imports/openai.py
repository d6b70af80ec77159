"""A job of OpenAI's fine-tuning, or the request that creates one → a recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from burnish.recipe.imports.assemble import Assumption, assume, finish
from burnish.recipe.imports.contract import Given, Imported, Note, Rule
from burnish.recipe.imports.hf_trainer import run_name
from burnish.recipe.imports.rules import below, each, ignored, missing, off, to, translate
from burnish.recipe.imports.training import no_objective
from burnish.recipe.imports.values import is_blank, number, whole, word

TOOL = "OpenAI"
STAND_IN = "smollm2-135m"
OBJECTIVES = {"supervised": "sft", "dpo": "dpo"}
FILE_ID = re.compile(r"file-?[\w-]+")


def model(key: str, value: Any, given: Given) -> list[Note]:
    """OpenAI's weights are not to be had."""
    text = f"OpenAI's weights cannot be had: {STAND_IN} stands in; name an open model of yours with --model"
    if str(value).startswith("ft:"):
        text += "; a model that was tuned there cannot be tuned on here"
    return [Note(key, value, "changed", text, {"model.name": STAND_IN})]


def file(target: str) -> Rule:
    """A file's id is no path: its content is expected under that name."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        name = str(value).strip()
        if not FILE_ID.fullmatch(name):
            return to(target, word)(key, value, given)
        text = f"fetch it (GET /v1/files/{name}/content) and save it here as {name}.jsonl, or name your own"
        if target == "data.test":
            text += "; as data.test it decides the verdict and nothing else: what steers early stop is data.dev"
        return [Note(key, value, "changed", text, {target: f"{name}.jsonl"})]

    return rule


def unless_auto(target: str, read: Callable[[Any], Any]) -> Rule:
    """`auto` leaves it to Burnish's own rule."""

    def rule(key: str, value: Any, given: Given) -> list[Note]:
        if str(value).strip().lower() == "auto":
            return [Note(key, value, "changed", "auto: by Burnish's own rule")]
        return to(target, read)(key, value, given)

    return rule


def multiplier(key: str, value: Any, given: Given) -> list[Note]:
    """Of Burnish's own rate: theirs is not published."""
    notes = unless_auto("train.learning_rate_multiplier", number)(key, value, given)
    text = "multiplies Burnish's own rate here: theirs is not published"
    return [replace(note, outcome="changed", text=text) if note.outcome == "translated" else note for note in notes]


HYPERPARAMETERS: Mapping[str, Rule] = {
    "n_epochs": unless_auto("train.epochs", number),
    "batch_size": unless_auto("train.rows_per_update", whole),
    "learning_rate_multiplier": multiplier,
    "beta": unless_auto("objective.beta", number),
    **each(missing("no answers are generated while training"),
           "reasoning_effort compute_multiplier eval_interval eval_samples"),
}  # fmt: skip


def hyperparameters(key: str, value: Any, given: Given) -> list[Note]:
    """Those of the method count; the same said again beside it does not."""
    if not isinstance(value, dict):
        return [Note(key, value, "missing", "a mapping is expected")]
    if not is_blank(given.values.get("method")) and "within" not in given.beside:
        return [Note(key, value, "ignored", "said again under `method`, which counts")]
    return below(key, translate(Given(value), HYPERPARAMETERS, TOOL))


def method(key: str, value: Any, given: Given) -> list[Note]:
    """{type, and under the type's name its settings}."""
    if not isinstance(value, dict):
        return [Note(key, value, "missing", "a mapping is expected")]
    return below(key, translate(Given(value), METHOD, TOOL))


def kind(key: str, value: Any, given: Given) -> list[Note]:
    """supervised, dpo or reinforcement."""
    if value not in OBJECTIVES:
        return [Note(key, value, "missing", no_objective(str(value)), blocks=True)]
    return [Note(key, value, "translated", "", {"objective.type": OBJECTIVES[value]})]


def settings(key: str, value: Any, given: Given) -> list[Note]:
    """What stands under a method's name; of several only that which `type` names counts."""
    if not isinstance(value, dict):
        return [Note(key, value, "missing", "a mapping is expected")]
    if given.values.get("type", key) != key:
        return [Note(key, value, "ignored", "belongs to a method that `type` does not name")]
    return below(key, translate(Given(value, {"within": key}), SETTINGS, TOOL))


SETTINGS: Mapping[str, Rule] = {
    "hyperparameters": hyperparameters,
    "grader": missing("no answers are graded while training; the verdict grades them (evaluate.metric)"),
    "response_format": missing("answers are not held to a schema; their keys are compared by the verdict"),
}
METHOD: Mapping[str, Rule] = {"type": kind, **each(settings, "supervised dpo reinforcement")}

TABLE: Mapping[str, Rule] = {
    "model": model,
    "training_file": file("data.train"),
    "validation_file": file("data.test"),
    "suffix": run_name,
    "user_provided_suffix": run_name,
    "seed": to("train.seed", whole),
    "method": method,
    "hyperparameters": hyperparameters,
    "integrations": ignored("logging: a run keeps metrics.jsonl and events.jsonl"),
    "metadata": ignored("labels of the job there"),
    **each(ignored("what became of the job there"),
           "id object created_at finished_at status error estimated_finish trained_tokens result_files "
           "organization_id usage_metrics eval_id checkpoints user_provided_id"),
    "fine_tuned_model": ignored("stays with OpenAI"),
    **each(ignored("of a job on Burnish's own server"), "verdict run"),
    "shared_with_openai": off("nothing leaves this machine"),
}  # fmt: skip

ASSUMPTIONS = (Assumption("method", "objective.type", "sft", "supervised is the default there"),)


def convert(given: Given, extra: list[Note]) -> Imported:
    """A recipe from a job or a request. `extra` are notes of what was said besides the file."""
    notes = [*extra, *translate(given, TABLE, TOOL)]
    return finish(TOOL, assume(notes, given, ASSUMPTIONS))
