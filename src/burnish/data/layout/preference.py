"""Two answers to one prompt, of which one is preferred.

Read are: a prompt with two answers, as texts, messages or lists of messages; two whole conversations that differ in the
last answer, as lists of messages or as a dialogue in one text; and OpenAI's `input` with `preferred_output` and
`non_preferred_output`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.core.records import Message, Pair, Tools
from burnish.data.layout.columns import PROMPTS, TURNS, Columns
from burnish.data.layout.fields import as_text, field
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.plain import dialogue
from burnish.data.layout.prompt_answer import prompt_turns
from burnish.data.layout.reasons import Unusable
from burnish.data.layout.tools import read_tools
from burnish.data.layout.turns import are_turns, check_turns, read_turns, system_of

NAMES = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))


def seen(columns: Columns) -> Format | None:
    """The two answers under well-known names, with the prompt where there is a column for it."""
    for better, worse in NAMES:
        chosen, rejected = columns.first((better,)), columns.first((worse,))
        if chosen and rejected:
            prompt = columns.first(PROMPTS) or columns.first(TURNS)
            context = columns.first(("input",)) if prompt.lower() == "instruction" else ""
            return Format("preference", prompt=prompt, context=context, completion=chosen, rejected=rejected)
    return None


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: an answer is absent or calls a tool, both are equal, or they do not answer the same prompt."""
    before, tools = _prompt(value, layout) if layout.prompt or layout.template else ([], read_tools(value))
    chosen = _conversation(value, layout.completion, before)
    rejected = _conversation(value, layout.rejected, before)
    if chosen[:-1] != rejected[:-1]:
        raise Unusable("no_shared_prompt", "the conversations differ before the last answer")
    better, worse = plain_answer(chosen), plain_answer(rejected)
    if better.strip() == worse.strip():
        raise Unusable("equal_answers")
    return Converted(Pair("", tuple(chosen[:-1]), better, worse, tools=tools))


def plain_answer(messages: list[Message]) -> str:
    """The text of the last message. Raises Unusable: it calls a tool."""
    if messages[-1].tool_calls:
        raise Unusable("unsupported_content", "an answer that calls a tool")
    return messages[-1].content


def _prompt(value: Mapping[str, Any], layout: Format) -> tuple[list[Message], Tools]:
    """The turns before the answer: of a text one of the user, unless the text holds a dialogue."""
    found = None if layout.template else field(value, layout.prompt)
    if isinstance(found, dict):  # OpenAI's input: {"messages": …, "tools": …}
        return read_turns(field(found, "messages"), "messages"), read_tools(found)
    turns = dialogue(found) if isinstance(found, str) and not layout.context else []
    if not turns:
        return prompt_turns(value, layout)
    if turns[-1].role == "assistant" and not turns[-1].content.strip():
        turns.pop()  # "…\n\nAssistant:" asks for the answer
    return [*system_of(value), *turns], ()


def _conversation(value: Mapping[str, Any], key: str, before: list[Message]) -> list[Message]:
    """All turns up to one of the two answers. Raises Unusable: they are not sound, or end on no answer."""
    found = field(value, key)
    if isinstance(found, dict) and are_turns([found]):
        found = [found]
    if isinstance(found, list):
        answer = read_turns(found, key)
        # a list that opens with the answer continues the prompt; any other is the whole conversation
        opens = answer[0].role if answer else ""
        turns = [*before, *answer] if opens == "assistant" else [*_missing_system(value, before, answer), *answer]
    elif before:
        turns = [*before, Message("assistant", as_text(found, key))]
    else:
        spoken = dialogue(as_text(found, key))
        turns = [*system_of(value), *spoken]
        if not spoken:
            raise Unusable("no_shared_prompt", "there is no prompt, and the text is no dialogue of Human and Assistant")
    if not turns or turns[-1].role != "assistant":
        raise Unusable("no_answer", f"{key!r} does not end with a message of the assistant")
    check_turns(turns)
    return turns


def _missing_system(value: Mapping[str, Any], before: list[Message], turns: list[Message]) -> list[Message]:
    """The system message that stands beside a whole conversation, where that has none itself."""
    if turns and turns[0].role == "system":
        return []
    return [message for message in before if message.role == "system"] or system_of(value)
