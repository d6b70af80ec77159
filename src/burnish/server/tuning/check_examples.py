"""What is checked of the rows when a job is created: each has the form that its method learns from; there are enough.

The forms are OpenAI's: a chat, a prompt with its completion, an input with a preferred and another output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.server.tuning.check_upload import NotLines, read_lines

FEWEST = 10
SHOWN = 5  # things that are wrong, in the message
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
CHAT_KEYS = {"messages", "tools", "functions", "parallel_tool_calls"}
MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
PAIR_KEYS = {"input", "preferred_output", "non_preferred_output"}
TEXT_KEYS = {"prompt", "completion"}


class BadExamples(ValueError):  # noqa: N818 - the name says what the file has
    """A file cannot be learnt from. `code` is what the job's error carries."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Wrong(ValueError):  # noqa: N818 - of one row
    """What is wrong with one row."""


def check_examples(path: Path, method: str, part: str = "training") -> int:
    """How many rows there are. Raises BadExamples, which names up to five things that are wrong, with a line each."""
    code, count, form = f"invalid_{part}_file", 0, ""
    bad: dict[str, list[int]] = {}  # what is wrong → the lines
    try:
        for number, value in read_lines(path):
            count += 1
            form = form or _form(value)
            try:
                check_example(value, method, form)
            except Wrong as error:
                bad.setdefault(str(error), []).append(number)
    except NotLines as error:
        raise BadExamples(f"The job failed due to an invalid {part} file. {error}", code) from error
    if bad:
        raise BadExamples(f"The job failed due to an invalid {part} file. {_told(bad)}", code)
    if part == "training" and count < FEWEST:
        raise BadExamples(
            f"The training file has {count} example(s), but must have at least {FEWEST} examples.", "invalid_n_examples"
        )
    return count


def _told(bad: Mapping[str, Sequence[int]]) -> str:
    """'Line 3: missing 'messages'. Line 5: …', the first of each kind."""
    first = [
        f"Line {lines[0]}: {what}{f' (and {len(lines) - 1} further lines)' if len(lines) > 1 else ''}."
        for what, lines in list(bad.items())[:SHOWN]
    ]
    rest = len(bad) - len(first)
    return " ".join(first) + (f" {rest} other things are wrong, too." if rest else "")


def _form(value: Mapping[str, Any]) -> str:
    """What the first row says that all are."""
    if PAIR_KEYS & value.keys():
        return "preference"
    return "completion" if TEXT_KEYS & value.keys() else "chat"


def check_example(value: Mapping[str, Any], method: str, form: str) -> None:
    """Raises Wrong: this row has not the form of the file, or not one that the method learns from."""
    if method == "dpo":
        _check_pair(value)
    elif form == "preference":
        raise Wrong("a preference pair can't be learnt with the method 'supervised'; create the job with 'dpo'")
    elif form == "completion":
        _check_text(value)
    else:
        _check_chat(value)


def _check_chat(value: Mapping[str, Any]) -> None:
    _check_keys(value, CHAT_KEYS, needed=("messages",))
    messages = value["messages"]
    check_messages(messages, "messages")
    if messages[-1]["role"] != "assistant":
        raise Wrong("the last message must be from the assistant")
    if all(message.get("weight") == 0 for message in messages if message["role"] == "assistant"):
        raise Wrong("at least one message of the assistant must have a weight of 1")


def _check_text(value: Mapping[str, Any]) -> None:
    _check_keys(value, TEXT_KEYS, needed=("prompt", "completion"))
    for key in ("prompt", "completion"):
        if not isinstance(value[key], str):
            raise Wrong(f"'{key}' must be a string")
    if not value["completion"].strip():
        raise Wrong("'completion' is empty")


def _check_pair(value: Mapping[str, Any]) -> None:
    _check_keys(value, PAIR_KEYS, needed=("input", "preferred_output", "non_preferred_output"))
    asked = value["input"]
    if not isinstance(asked, dict) or "messages" not in asked:
        raise Wrong("'input' must be an object with 'messages'")
    _check_keys(asked, CHAT_KEYS, needed=("messages",), of="input")
    check_messages(asked["messages"], "input.messages")
    if asked["messages"][-1]["role"] == "assistant":
        raise Wrong("'input.messages' must not end with a message of the assistant")
    for key in ("preferred_output", "non_preferred_output"):
        check_messages(value[key], key)
        if [message["role"] for message in value[key]] != ["assistant"]:
            raise Wrong(f"'{key}' must be one message of the assistant")


def _check_keys(value: Mapping[str, Any], known: set[str], needed: Sequence[str], of: str = "") -> None:
    where = f" in '{of}'" if of else ""
    if missing := [key for key in needed if key not in value]:
        raise Wrong(f"missing '{missing[0]}'{where}")
    if unknown := sorted(value.keys() - known):
        raise Wrong(f"unknown key '{unknown[0][:40]}'{where}")


def check_messages(messages: Any, where: str) -> None:
    """Raises Wrong: this is no list of messages with known roles and text."""
    if not isinstance(messages, list) or not messages:
        raise Wrong(f"'{where}' must be a list of at least one message")
    for place, message in enumerate(messages):
        here = f"{where}[{place}]"
        if not isinstance(message, dict):
            raise Wrong(f"'{here}' must be an object")
        if message.get("role") not in ROLES:
            raise Wrong(f"'{here}.role' is {str(message.get('role'))[:40]!r}, which is none of {', '.join(ROLES)}")
        _check_keys(message, MESSAGE_KEYS, needed=(), of=here)
        _check_content(message, here)


def _check_content(message: Mapping[str, Any], here: str) -> None:
    weight = message.get("weight")
    if weight is not None and (message["role"] != "assistant" or weight not in (0, 1)):
        raise Wrong(f"'{here}.weight' must be 0 or 1, on a message of the assistant")
    calls = message["role"] == "assistant" and (message.get("tool_calls") or message.get("function_call"))
    content = message.get("content")
    if content is None and (calls or message.get("refusal")):
        return
    parts = isinstance(content, list) and all(isinstance(part, dict) and "type" in part for part in content)
    if not isinstance(content, str) and not parts:
        raise Wrong(f"'{here}.content' must be a string, or a list of parts")
    if parts and any(part["type"] not in ("text", "refusal") for part in content or []):
        raise Wrong(f"'{here}.content' holds a part that is not text, which can't be learnt here")
