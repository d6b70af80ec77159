"""A file of the user's own as a further suite."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import DataError, MissingTool
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suites import Instruction, Question, SuiteItem, item_of
from burnish.graders.constraints import grade_constraints

SORTS = "{prompt, choices, answer}, {prompt, checks} or {text}"


def check_suites(settings: RetentionSettings) -> None:
    """Finds out before training what evaluation would stumble over.

    Raises DataError: a file is no suite; MissingTool: a task of lm-eval is wanted, and the package is not installed.
    """
    for one in settings.extra:
        read_suite(Path(one.file))
    if settings.lm_eval and importlib.util.find_spec("lm_eval") is None:
        raise MissingTool(
            "A task of lm-eval needs the package lm-eval.",
            where="evaluate.retention.lm_eval",
            seen=", ".join(one.task for one in settings.lm_eval),
            next_move='pip install "burnish[eval]"',
        )


def read_suite(path: Path) -> list[SuiteItem]:
    """The items of a JSON Lines file, all of one sort; an item without `id` has the number of its line.

    Raises DataError with the line: what is no such item, another sort, or an id twice.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("A suite cannot be read.", where=str(path), seen=str(error), next_move=SORTS) from error
    items: list[SuiteItem] = []
    ids: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        item = _item(line, f"{path}:{number}", f"line-{number:06d}")
        if items and type(item) is not type(items[0]):
            raise _wrong("A suite holds items of one sort.", f"{path}:{number}", line)
        if item.id in ids:
            raise _wrong("An id stands twice.", f"{path}:{number}", item.id)
        ids.add(item.id)
        items.append(item)
    if not items:
        raise DataError("A suite holds no item.", where=str(path), next_move=f"a line each: {SORTS}")
    return items


def _item(line: str, where: str, name: str) -> SuiteItem:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong("A line of a suite is no JSON.", where, line) from error
    if not isinstance(value, dict) or not _is_sound(value):
        raise _wrong("A line is no item of a suite.", where, line)
    item = item_of({**value, "id": str(value.get("id", name))})
    if isinstance(item, Instruction):
        grade_constraints("a", item.expected)  # raises for a check that is not known
    return item


def _is_sound(value: Mapping[str, Any]) -> bool:
    """Whether the keys are those of one sort and hold what they should."""
    texts = [key for key in ("text", "prompt") if key in value]
    if len(texts) != 1 or not isinstance(value[texts[0]], str) or not value[texts[0]].strip():
        return False
    sorts = [key for key in ("choices", "checks") if key in value]
    if texts == ["text"] or sorts == ["checks"]:
        checks = value.get("checks", [{}])
        return isinstance(checks, list) and bool(checks) and all(isinstance(check, dict) for check in checks)
    return sorts == ["choices"] and _choices_are_sound(value["choices"], value.get("answer"))


def _choices_are_sound(choices: Any, answer: Any) -> bool:
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(one, str) and one for one in choices):
        return False
    different = len(set(choices)) == len(choices)
    return different and isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices)


def _wrong(what: str, where: str, seen: str) -> DataError:
    return DataError(what, where=where, seen=seen[:80], next_move=f"a line each: {SORTS}; answer counts from 0")


def chance_of(items: list[SuiteItem]) -> float | None:
    """The rate of right answers by guessing; None where nothing is chosen."""
    rates = [1 / len(item.choices) for item in items if isinstance(item, Question)]
    return sum(rates) / len(rates) if rates else None
