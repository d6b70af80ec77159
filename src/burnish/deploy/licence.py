"""The licence that a base states for itself: it binds what was trained from it."""

from __future__ import annotations

import re
from pathlib import Path

from burnish.model.gguf_file import read_gguf

STATED = re.compile(r"^license:\s*[\"']?([\w.+ -]{1,60}?)[\"']?\s*$", re.MULTILINE)
HEAD_CHARACTERS = 20_000  # a README's front matter is at its beginning


def stated_licence(base: Path) -> str:
    """Of a GGUF's metadata, or of the front matter of a folder's README.md; "" where it states none."""
    if base.is_file():
        licence = read_gguf(base).metadata.get("general.license")
        return licence if isinstance(licence, str) else ""
    readme = base / "README.md"
    if not readme.is_file():
        return ""
    with readme.open(encoding="utf-8", errors="replace") as file:
        parts = file.read(HEAD_CHARACTERS).split("---", 2)
    found = STATED.search(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    return found[1] if found else ""
