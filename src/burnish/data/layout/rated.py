"""One answer and how it was rated: good or bad (KTO), or a score (reward models)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from burnish.core.records import Rated
from burnish.data.layout.columns import ANSWERS, TURNS, Columns
from burnish.data.layout.fields import field
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.preference import plain_answer
from burnish.data.layout.prompt_answer import answer_turns, prompt_turns
from burnish.data.layout.reasons import Unusable
from burnish.data.layout.tools import read_tools
from burnish.data.layout.turns import check_turns, read_turns, system_of

ASKED = ("prompt", "question", "query", "instruction", "input")
THUMBS = ("kto_tag", "label")
SCORES = ("score", "reward", "rating")
TRUTH = {"true": True, "false": False}


def seen(columns: Columns) -> Format | None:
    """An answer that is no label, with true or false beside it, or of a prompt with a numeric score."""
    thumb, score = columns.first(THUMBS), columns.first(SCORES)
    turns, asked, answer = columns.first(TURNS), columns.first(ASKED), columns.first(ANSWERS)
    if columns.all(thumb, _is_thumb):
        if turns:
            return Format("rated", turns=turns, score=thumb)
        if asked and answer:
            context = columns.first(("input",)) if asked.lower() == "instruction" else ""
            return Format("rated", prompt=asked, context=context, completion=answer, score=thumb)
    if columns.first(("prompt", "question", "query")) and answer and columns.all(score, _is_score):
        return Format("rated", prompt=asked, completion=answer, score=score)
    return None


def _is_thumb(found: Any) -> bool:
    return str(found).lower() in (*TRUTH, "0", "1")


def _is_score(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: the score is none, the answer calls a tool, or the turns are not sound."""
    score = _score(field(value, layout.score))
    if layout.turns:
        messages, tools = read_turns(field(value, layout.turns), layout.turns, system_of(value)), read_tools(value)
    else:
        asked, tools = prompt_turns(value, layout)
        messages = [*asked, *answer_turns(value, layout)]
    if not messages or messages[-1].role != "assistant":
        raise Unusable("no_answer", f"{len(messages)} messages")
    check_turns(messages)
    return Converted(Rated("", tuple(messages[:-1]), plain_answer(messages), score, tools=tools))


def _score(found: Any) -> float | bool:
    """True and false as they are, also as words; anything else as a number."""
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found.strip().lower() in TRUTH:
        return TRUTH[found.strip().lower()]
    try:
        score = float(found)
    except (TypeError, ValueError) as error:
        raise Unusable("broken_score", str(found)[:40]) from error
    if not math.isfinite(score):
        raise Unusable("broken_score", str(found))
    return score
