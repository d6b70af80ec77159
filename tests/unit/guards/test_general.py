"""The general rows: made by a script, short, varied, and apart from what the memory check asks."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

from burnish.core.files import read_jsonl
from burnish.core.records import Chat, Text
from burnish.evals.retention_settings import SUITES
from burnish.evals.suites import Passage, shipped
from burnish.guards.general import general_rows

ROOT = Path(__file__).parents[3]
FILE = ROOT / "src" / "burnish" / "guards" / "general.jsonl"
RUN = 7  # words in a row that no text shares with a suite by chance


def runs(text: str) -> set[tuple[str, ...]]:
    words = "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def texts() -> list[str]:
    return [row.text if isinstance(row, Text) else "\n".join(one.content for one in row.messages)
            for row in general_rows()]  # fmt: skip


def test_the_file_is_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "scripts/make_general.py", str(tmp_path)], cwd=ROOT, check=True)
    assert (tmp_path / "general.jsonl").read_bytes() == FILE.read_bytes()
    assert len(FILE.read_bytes()) < 200_000


def test_rows_are_many_short_and_of_varied_kinds_in_any_first_part() -> None:
    rows = general_rows()
    assert len(rows) == len(read_jsonl(FILE)) == len(set(texts())) > 300
    assert max(map(len, texts())) < 700
    assert {type(row) for row in rows[:16]} == {Chat, Text}
    kinds = Counter(str(line["kind"]) for line in read_jsonl(FILE))
    assert len(kinds) > 10
    assert kinds.most_common(1)[0][1] < len(rows) / 5


def test_no_row_shares_a_run_of_words_or_a_question_with_a_retention_suite() -> None:
    ours = set().union(*map(runs, texts()))
    asked = {row.messages[0].content.lower() for row in general_rows() if isinstance(row, Chat)}
    for name in SUITES:
        for item in shipped(name):
            text = item.text if isinstance(item, Passage) else item.prompt
            assert not runs(text) & ours, text
            assert text.lower() not in asked


def test_the_rows_travel_with_the_package() -> None:
    assert (resources.files("burnish.guards") / "general.jsonl").is_file()
