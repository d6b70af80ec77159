"""Definitions and calls of tools, as OpenAI's files, the Hub's tables and ShareGPT write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from burnish.core.records import ToolCall, Tools
from burnish.data.layout.fields import check_characters, parsed
from burnish.data.layout.reasons import Unusable


def read_tools(value: Mapping[str, Any]) -> Tools:
    """The tools of a row: `tools`, or `functions` as they were called before; each as an object or as JSON text.

    Raises Unusable: a definition has no name.
    """
    found = parsed(value.get("tools") or value.get("functions"))
    if not found or (isinstance(found, str) and not found.strip()):
        return ()
    tools = tuple(_definition(parsed(tool)) for tool in (found if isinstance(found, list) else [found]))
    check_characters(json.dumps(tools, ensure_ascii=False, default=str), "the tools")
    return tools


def _definition(tool: Any) -> Mapping[str, Any]:
    """A tool in OpenAI's form; a bare function is wrapped."""
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Unusable("broken_tools", str(tool)[:80])
    return tool if function is not tool else {"type": "function", "function": tool}


def read_calls(turn: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The calls of an assistant's message: `tool_calls`, or `function_call` as it was called before."""
    found = parsed(turn.get("tool_calls") or turn.get("function_call"))
    return calls_of(found) if found else ()


def calls_of(found: Any) -> tuple[ToolCall, ...]:
    """One call or a list of them. Raises Unusable: one has no name, or its arguments are not an object."""
    return tuple(_call(call) for call in (found if isinstance(found, list) else [found]))


def _call(call: Any) -> ToolCall:
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Unusable("broken_tool_call", str(call)[:80])
    arguments = function.get("arguments") or "{}"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
    if not isinstance(parsed(text), dict):
        raise Unusable("broken_tool_call", f"arguments of {function['name']}: {text[:80]}")
    check_characters(text + function["name"], "a call of a tool")
    return ToolCall(function["name"], text, str(call.get("id") or ""))
