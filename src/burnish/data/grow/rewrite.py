"""An answer rewritten by an instruction that the user states; its prompt stays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from burnish.core.asking import Answer
from burnish.core.records import Chat, Message, Row
from burnish.data.grow import checks
from burnish.data.grow.paraphrase import context_only
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.reply import plain_reply
from burnish.data.normalised import normalised

HEADING = "###"  # a mark of many prompts, which small models go on writing
MOST_ASKED = 2000  # characters of the question, from its end: the model needs it to understand the answer
REQUEST = (
    "Rewrite the answer below. {instruction}\nKeep its facts. Write nothing but the new answer.\n\n"
    "Question:\n{asked}\n\nAnswer:\n{answer}"
)


def can_be_rewritten(row: Row) -> bool:
    """A conversation whose answer is text: calls of functions stay as they are."""
    return isinstance(row, Chat) and not row.messages[-1].tool_calls and bool(row.answer.strip())


def request(row: Chat, instruction: str) -> tuple[Message, ...]:
    """What the model is told."""
    text = REQUEST.format(instruction=instruction.strip(), asked=_asked(row), answer=row.answer.strip())
    return (Message("user", text),)


def rewritten(row: Chat, instruction: str, answer: Answer, *, same_language: bool) -> Row:
    """The row with the answer that the reply holds. Raises Rejected."""
    given = row.answer.strip()
    made = plain_reply(answer, given)
    if made == given or normalised(made) == normalised(_asked(row)):
        raise Rejected("made_same")
    checks.check_not_refused(made, given)
    checks.check_no_new_numbers(made, given, _asked(row), instruction)
    if HEADING in made and HEADING not in given:
        raise Rejected("made_not_parseable", "headings of the request")
    if _keys(made) != _keys(given):
        raise Rejected("made_not_parseable", "not the JSON that it was")
    if same_language:
        checks.check_negation(given, made)  # no denial may come in; a shorter answer may leave one out
        checks.check_language(made, given)
        checks.check_related(made, f"{given} {_asked(row)}")
    messages = (*map(context_only, row.messages[:-1]), replace(row.messages[-1], content=made))
    return replace(row, messages=messages)


def _asked(row: Chat) -> str:
    return next((one.content for one in reversed(row.prompt) if one.role == "user"), "")[-MOST_ASKED:]


def _keys(answer: str) -> list[str] | None:
    """The keys of an answer that is one JSON object."""
    try:
        value: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return sorted(value) if isinstance(value, dict) else None
