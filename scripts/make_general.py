"""Writes the general rows of the guards: `python scripts/make_general.py [FOLDER]`. A test holds the file to it."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from general_tools import passages, talk, work
from general_tools.rows import Line

FOLDER = Path(__file__).parent.parent / "src" / "burnish" / "guards"


def general() -> list[Line]:
    """All rows, each once, with their kinds mixed."""
    rng = random.Random("general rows")
    made = [line for part in (talk, work, passages) for line in part.lines(rng)]
    once = list({json.dumps(line, ensure_ascii=False): line for line in made}.values())
    rng.shuffle(once)
    return [{"id": f"general-{number:03d}", **line} for number, line in enumerate(once, 1)]


def main() -> None:
    """Writes general.jsonl into the folder named on the command line, or beside the package's code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in general())
    (folder / "general.jsonl").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
