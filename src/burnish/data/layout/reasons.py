"""Why a raw row may not become a row: every code with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "missing_field": "a field that the format needs is absent or null",
    "unsupported_content": "the content is not text (images, sound), or a preferred answer is a call of a tool",
    "broken_character": "the text holds half of a character (a lone surrogate)",
    "broken_tools": "the definitions of the tools are not JSON objects with names",
    "broken_tool_call": "a call of a tool has no name, or its arguments are not a JSON object",
    "unmatched_tool_result": "a tool answers a call that was not made",
    "broken_score": "the score is neither a number nor true or false",
    "unknown_label": "the label is a number that none of the names belongs to",
    "unknown_choice": "the right answer is none of the choices",
    "empty_prompt": "the prompt is empty",
    "empty_answer": "the answer is empty",
    "empty_text": "the text is empty",
    "unknown_role": "a message has a role that is not known",
    "role_order": "the turns do not alternate user, assistant after at most one system message",
    "no_answer": "the conversation holds no answer of the assistant that may be learnt",
    "equal_answers": "the chosen and the rejected answer are the same, so there is nothing to prefer",
    "no_shared_prompt": "the chosen and the rejected answer do not answer the same prompt",
}


class Unusable(Exception):  # noqa: N818 - not a fault of the program: one row is left out
    """One row cannot be used; caught where the row's place is known."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
