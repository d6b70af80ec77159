"""Placeholders in the place of private data: [EMAIL_1], the same for the same value throughout a row."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.data.private.finding import Finding


class Placeholders:
    """The placeholders of one row, numbered by kind in the order in which the values come."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def of(self, kind: str, value: str) -> str:
        """The placeholder of a value; the same in other case or with other spaces and dashes is the same value."""
        numbers = self._numbers.setdefault(kind, {})
        plain = "".join(filter(str.isalnum, value)).casefold() or value
        return f"[{kind.upper()}_{numbers.setdefault(plain, len(numbers) + 1)}]"


def masked(text: str, findings: Sequence[Finding], placeholders: Placeholders, *, json_text: bool = False) -> str:
    """The text with a placeholder for each finding; `findings` are in the order of the text.

    A JSON text stays one: where a bare number is masked, the placeholder comes in quotation marks.
    """
    parts, end = [], 0
    for one in findings:
        placeholder = placeholders.of(one.kind, text[one.start : one.end])
        bare = json_text and not _inside_string(text[: one.start])
        parts += [text[end : one.start], f'"{placeholder}"' if bare else placeholder]
        end = one.end
    return "".join(parts) + text[end:]


def _inside_string(before: str) -> bool:
    """Whether the JSON text before a place leaves a string open: an odd number of marks that are not escaped."""
    return before.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 1
