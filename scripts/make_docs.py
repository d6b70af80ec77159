"""Writes docs/generated from the code: `python scripts/make_docs.py [FOLDER]`. A test holds the files to it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from docs_tools.api import api_page
from docs_tools.commands import commands_page
from docs_tools.layers import SOURCE, layers_page, read_imports
from docs_tools.picture import draw
from docs_tools.reasons import reasons_page
from docs_tools.settings import settings_page

from burnish.evals.verdict_records import verdict_schema

FOLDER = SOURCE.parent.parent / "docs" / "generated"


def pages() -> dict[str, str]:
    """File name → content of everything that is generated."""
    return {
        "api.md": api_page(),
        "cli.md": commands_page(),
        "layers.md": layers_page(read_imports()),
        "layers.svg": draw(read_imports()),
        "verdict.schema.json": json.dumps(verdict_schema(), indent=2) + "\n",
        "reasons.md": reasons_page(),
        "recipe.md": settings_page(),
    }


def main() -> None:
    """Writes all pages into the folder named on the command line, or docs/generated."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages().items():
        (folder / name).write_text(content, "utf-8")


if __name__ == "__main__":
    main()
