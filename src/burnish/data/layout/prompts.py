"""Prompts that the model answers itself, with what a grader needs: OpenAI's reinforcement files and their like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from burnish.core.records import Prompt
from burnish.data.layout.columns import COMPLETIONS, PROMPTS, REFERENCES, TURNS, Columns
from burnish.data.layout.fields import check_characters, field, parsed
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.prompt_answer import prompt_turns
from burnish.data.layout.tools import read_tools
from burnish.data.layout.turns import ROLES, SOUND_PROMPT, are_turns, check_turns, read_turns, system_of


def seen(columns: Columns) -> Format | None:
    """Conversations that all end before an answer, or a prompt without one beside what only a grader reads."""
    turns, prompt, reference = columns.first(TURNS), columns.first(PROMPTS), columns.first(REFERENCES)
    if columns.all(turns, _is_unanswered) and (reference or columns.all(turns, _has_no_answer)):
        return Format("prompts", turns=turns)
    unanswered = columns.all(prompt, _is_unanswered) and not columns.first(COMPLETIONS)
    if not turns and prompt and (unanswered or (reference and not columns.first(COMPLETIONS))):
        return Format("prompts", prompt=prompt)
    return None


def asked_for(columns: Columns) -> Format | None:
    """What `format: prompts` stands for: whatever else is there, a grader may read it."""
    turns, prompt = columns.first(TURNS), columns.first(PROMPTS)
    return Format("prompts", turns=turns) if turns else Format("prompts", prompt=prompt) if prompt else None


def _roles(found: Any) -> list[str]:
    """The roles of a list of messages, none of anything else."""
    turns = parsed(found)
    return [ROLES.get(str(turn.get("role", turn.get("from"))).strip().lower(), "") for turn in turns
            if isinstance(turn, dict)] if are_turns(turns) else []  # fmt: skip


def _is_unanswered(found: Any) -> bool:
    return _roles(found)[-1:] in (["user"], ["tool"])


def _has_no_answer(found: Any) -> bool:
    return "assistant" not in _roles(found)


def read(value: Mapping[str, Any], layout: Format) -> Converted:
    """Raises Unusable: the prompt is absent or ends on an answer, or its turns are not sound."""
    if layout.turns:
        messages, tools = read_turns(field(value, layout.turns), layout.turns, system_of(value)), read_tools(value)
    else:
        messages, tools = prompt_turns(value, layout)
    check_turns(messages, SOUND_PROMPT)
    return Converted(Prompt("", tuple(messages), _reference(value, layout), tools=tools))


def _reference(value: Mapping[str, Any], layout: Format) -> dict[str, Any]:
    """All that the prompt leaves unread, as JSON; numbers that are none become null."""
    left = {key: value[key] for key in layout.beside(value) if value[key] is not None}
    text = json.dumps(left, ensure_ascii=False, default=str)
    check_characters(text, "the reference")
    found: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return found
