"""Writes the shipped suites: `python scripts/make_suites.py [FOLDER]`. A test holds the shipped files to it.

Three files begin with lines written by hand, which stay as they are; all that follows comes from tables and a seed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from suite_tools import arithmetic, german, instructions, knowledge, understanding, wishes
from suite_tools.lines import Line, numbered

FOLDER = Path(__file__).parent.parent / "src" / "burnish" / "evals" / "suites"
BY_HAND = {"knowledge": 360, "instructions": 320, "general_text": 64}  # the first lines of these files


def by_hand(name: str) -> list[Line]:
    """The lines of a shipped file that a person reads and corrects."""
    text = (FOLDER / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()[: BY_HAND[name]]]


def suites() -> dict[str, list[Line]]:
    """Name → lines of every suite."""
    return {
        "knowledge": by_hand("knowledge") + numbered("know", knowledge.asks(), BY_HAND["knowledge"] + 1),
        "understanding": numbered("unde", understanding.asks()),
        "arithmetic": numbered("arit", arithmetic.asks()),
        "german": numbered("germ", german.asks()),
        "instructions": by_hand("instructions") + instructions.lines(BY_HAND["instructions"] + 1),
        "refusals": wishes.harmful(),
        "over_refusals": wishes.harmless(),
        "general_text": by_hand("general_text"),
    }


def main() -> None:
    """Writes all suites into the folder named on the command line, or beside the package's code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in suites().items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
