"""A raw row → a row, or `Unusable` with the reason. Contents are never trimmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from burnish.data.layout import alpaca, choice, conversation, plain, preference, prompt_answer, prompts, rated
from burnish.data.layout import question_answer as questions
from burnish.data.layout.format import Converted, Format
from burnish.data.settings import FormatName

READERS: Mapping[FormatName, Callable[[Mapping[str, Any], Format], Converted]] = {
    "messages": conversation.read,
    "sharegpt": conversation.read,
    "dialogue": plain.read_dialogue,
    "prompt_completion": prompt_answer.read,
    "columns": prompt_answer.read,
    "alpaca": alpaca.read,
    "question_answer": questions.read,
    "choice": choice.read,
    "preference": preference.read,
    "rated": rated.read,
    "prompts": prompts.read,
    "text": plain.read,
}


def convert(value: Mapping[str, Any], layout: Format) -> Converted:
    """The row that a raw one holds, still without id, source and group.

    Raises Unusable: the raw row does not hold what its format needs.
    """
    return READERS[layout.name](value, layout)
