"""What is checked of a file when it is uploaded: that it is JSONL. Its rows are checked when a job names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

LONGEST_LINE = 2**24  # bytes: an example of 16 MiB is none that could be learnt
HINT = 20  # characters of a line that are shown


class NotLines(ValueError):  # noqa: N818 - the name says what the file is
    """The file is not JSONL; the text names the first line that is wrong."""


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, object) of every line, one at a time; blank lines at the end are none. Raises NotLines."""
    blank = 0
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise NotLines(f"Invalid file format. Line {number} is longer than {LONGEST_LINE:,} bytes.")
            if not line.strip():
                blank = blank or number
                continue
            if blank:
                raise NotLines(f"Invalid file format. Line {blank} is empty, where each line must be a JSON object.")
            yield number, _object(line, number)
    if not number or blank == 1:
        raise NotLines("The file is empty.")


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise NotLines(f"Invalid file format. Line {number} is not UTF-8 (byte {error.start}).") from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise NotLines(
            f"Invalid file format. Line {number} is not valid JSON: {why} (the line starts with {text[:HINT]!r})."
        ) from error
    if not isinstance(value, dict):
        raise NotLines(
            f"Invalid file format. Each line must be a JSON object; line {number} is not one "
            f"(the line starts with {text[:HINT]!r})."
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def check_lines(path: Path) -> int:
    """How many rows the file has. Raises NotLines."""
    return sum(1 for _ in read_lines(path))
