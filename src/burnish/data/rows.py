"""Reads the parts that `prepare` wrote."""

from __future__ import annotations

import json
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.core.records import Row, row_from_json


def read_rows(path: Path) -> list[Row]:
    """The rows of train.jsonl, dev.jsonl or test.jsonl.

    Raises BurnishError: the file is absent or damaged.
    """
    try:
        # Not splitlines(): a JSON string may hold U+2028, which that would take for the end of the line.
        return [row_from_json(json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]
    except (OSError, ValueError, KeyError) as error:
        raise BurnishError(
            f"Cannot read {path.name}.", where=str(path), seen=str(error), next_move="run `burnish prepare` again"
        ) from error
