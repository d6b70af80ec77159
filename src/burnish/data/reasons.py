"""Why a row may be left out: every code with its plain meaning."""

from __future__ import annotations

REASONS = {
    "not_json": "the line is not JSON",
    "not_csv": "the line is not CSV: its quotation marks or its number of fields are wrong",
    "not_object": "the JSON value is not an object with named fields",
    "missing_field": "a field that the format needs is absent or null",
    "unsupported_content": "the content is not text (images, tool calls, messages with weight 0)",
    "broken_character": "the text holds half of a character (a lone surrogate)",
    "empty_prompt": "the prompt is empty",
    "empty_answer": "the answer is empty",
    "empty_text": "the text is empty",
    "unknown_role": "a message has a role that is not known",
    "unsupported_role": "a message was written by a tool, which cannot be learnt yet",
    "role_order": "the turns do not alternate user, assistant after at most one system message",
    "no_answer": "the conversation holds no answer of the assistant",
    "equal_answers": "the chosen and the rejected answer are the same, so there is nothing to prefer",
    "no_shared_prompt": "the chosen and the rejected answer do not answer the same prompt",
    "exact_duplicate": "the same prompt with the same answer stands in an earlier row",
    "overlaps_test": "the prompt is also in the test file",
    "overlaps_dev": "the prompt is also in the dev file",
    "not_renderable": "the model's chat template refuses the row, or leaves no token of it to learn",
    "too_long": "the row is longer than the model's context",
    "not_sampled": "left out by the sample that `rows` or `test_rows` asked for",
}


class Unusable(Exception):  # noqa: N818 - not a fault of the program: one row is left out
    """One row cannot be used; caught where the row's place is known."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
