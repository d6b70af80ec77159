"""Calls of tools in what a model writes: each template frames them in its own way, and how is found by having it write
one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import DataError
from burnish.core.records import Tools
from burnish.render.renderer import Renderer
from burnish.render.tools import CALLED, PROBE_CALLS, PROBE_TOOLS
from burnish.server.api_error import ApiError
from burnish.server.guide import Grammars

DECODER = json.JSONDecoder()
MOST_CALLS = 64  # in one answer


@dataclass(frozen=True)
class CallForm:
    """The text before and after the JSON object of a call, as the template writes an answer that is one call, and the
    key under which the object holds the arguments. `before_read` and `after_read` are these texts as answers show them:
    without special tokens."""

    before: str
    after: str
    arguments: str
    before_read: str
    special: bool  # the frame holds special tokens

    def read(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """What was said beside the calls, and the calls in OpenAI's form; all of it as said where nothing is a call."""
        calls: list[dict[str, Any]] = []
        said, at = "", 0
        while len(calls) < MOST_CALLS and (start := text.find(self.before_read, at)) >= 0:
            found, end = self._objects(text, start + len(self.before_read))
            if not found:
                break
            said, at = said + text[at:start], end
            calls += found
        return (said + text[at:]).strip() if calls else text, calls

    def _objects(self, text: str, at: int) -> tuple[list[dict[str, Any]], int]:
        """The calls that stand one after another from a place on, and where they and the text after them end."""
        calls: list[dict[str, Any]] = []
        end = at
        while True:
            try:
                value, at = DECODER.raw_decode(text, _next_value(text, end))
            except (ValueError, RecursionError):
                break
            if (call := self._call(value)) is None:
                break
            calls.append(call)
            end = at
        after, rest = self.after.strip(), text[end:].lstrip()
        return calls, len(text) - len(rest) + len(after) if after and rest.startswith(after) else end

    def _call(self, value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return None
        arguments = value.get(self.arguments, {})
        written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        function = {"name": value["name"], "arguments": written}
        return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}


def _next_value(text: str, at: int) -> int:
    """Past white space and what stands between the values of a list."""
    while at < len(text) and text[at] in " \t\r\n,;":
        at += 1
    return at


def call_form(renderer: Renderer) -> CallForm | None:
    """How the template writes a call; None where it writes none, or not as one JSON object with name and arguments."""
    if "calls" not in renderer.tool_parts:
        return None
    try:
        asked = renderer.text(PROBE_CALLS[:1], PROBE_TOOLS, generation_prompt=True)
        text = renderer.text(PROBE_CALLS[:2], PROBE_TOOLS)
    except DataError:
        return None
    turn = text.removeprefix(asked)
    for stop in renderer.stop_names:
        turn = turn.partition(stop)[0]
    start = turn.find("{")
    if turn == text or start < 0:
        return None
    try:
        value, end = DECODER.raw_decode(turn, start)
    except ValueError:
        return None
    keys = [key for key, inside in value.items() if inside == {"place": "here"}]
    if value.get("name") != CALLED or len(keys) != 1:
        return None
    before, after = turn[:start], turn[end:].rstrip()
    special = any(name in before + after for name in renderer.special)
    return CallForm(before, after, keys[0], _without(before, renderer.special).strip(), special)


def _without(text: str, names: Mapping[str, int]) -> str:
    for name in names:
        text = text.replace(name, "")
    return text


def check_tools(form: CallForm | None, renderer: Renderer) -> CallForm:
    """Raises ApiError: the model's template has no tools, or writes calls in a form that cannot be read back."""
    if form is None or "definitions" not in renderer.tool_parts:
        raise ApiError(
            400,
            "This model's chat template does not show tools. Use a model that was made for them.",
            param="tools",
            code="unsupported_parameter",
        )
    return form


def forced_call(grammars: Grammars, form: CallForm, tools: Sequence[Mapping[str, Any]]) -> str:
    """A grammar of exactly one call of one of these tools. Raises ApiError: a tool's parameters are no schema."""
    if form.special:
        raise ApiError(
            400,
            "This model's template frames calls with special tokens, so that a call cannot be required: use "
            "tool_choice `auto`.",
            param="tool_choice",
            code="unsupported_value",
        )
    choices = [_schema(tool["function"], form.arguments) for tool in tools]
    schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
    return grammars.for_schema(schema, param="tools", before=form.before, after=form.after, space=" ?")


def _schema(function: Mapping[str, Any], arguments: str) -> dict[str, Any]:
    inner = function.get("parameters") or {"type": "object"}
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, arguments: inner},
        "required": ["name", arguments],
        "additionalProperties": False,
    }


def chosen_tools(tools: Tools, choice: Any) -> tuple[Tools, bool]:
    """The tools that the model is shown, and whether it must call one of them. `choice` as OpenAI's tool_choice.

    Raises ApiError: it names a tool that is not there.
    """
    match choice:
        case None | "auto":
            return tools, False
        case "none":
            return (), False
        case "required" if tools:
            return tools, True
        case {"type": "function", "function": {"name": str(name)}}:
            named = tuple(tool for tool in tools if tool["function"]["name"] == name)
            if named:
                return named, True
    raise ApiError(400, "`tool_choice` names no tool that is in `tools`.", param="tool_choice", code="invalid_value")
