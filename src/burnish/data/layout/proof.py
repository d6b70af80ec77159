"""One row on one line: the proof that a file was understood."""

from __future__ import annotations

from burnish.core.records import Chat, Message, Pair, Prompt, Row, Text

PREVIEW_CHARACTERS = 60


def proof(row: Row) -> str:
    """What is asked and what is to be learnt, shortened."""
    if isinstance(row, Text):
        return preview(row.text)
    asked = preview(_question(row.prompt)) + (f" (tools: {len(row.tools)})" if row.tools else "")
    if isinstance(row, Chat):
        return f"{asked} → {preview(row.answer)}"
    if isinstance(row, Pair):
        return f"{asked} → {preview(row.chosen)} rather than {preview(row.rejected)}"
    if isinstance(row, Prompt):
        return f"{asked} → graded by {', '.join(map(preview, row.reference)) or 'no field of the row'}"
    return f"{asked} → {preview(row.answer)}: {str(row.score).lower()}"


def _question(messages: tuple[Message, ...]) -> str:
    """What the user said last."""
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


def preview(text: str) -> str:
    """The start of a text on one line, without control characters."""
    line = "".join(character if character.isprintable() else " " for character in text[: 4 * PREVIEW_CHARACTERS])
    short = " ".join(line.split())
    return short if len(short) <= PREVIEW_CHARACTERS else short[: PREVIEW_CHARACTERS - 1] + "…"
