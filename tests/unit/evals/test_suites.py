from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from burnish.evals import suites
from burnish.evals.retention_settings import SUITES, SuiteName
from burnish.evals.suites import SHORT, Instruction, Passage, Question, Wish, fingerprint, shipped, short_part
from burnish.graders.constraints import grade_constraints

ROOT = Path(__file__).parents[3]
FOLDER = Path(suites.__file__).parent / "suites"
CHOICES: tuple[SuiteName, ...] = ("knowledge", "understanding", "arithmetic", "german")


def questions(name: SuiteName) -> list[Question]:
    return [item for item in shipped(name) if isinstance(item, Question)]


def test_the_shipped_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "scripts/make_suites.py", str(tmp_path)], cwd=ROOT, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.glob("*.jsonl")}
    assert [p.name for p in tmp_path.iterdir() if p.read_bytes() != (FOLDER / p.name).read_bytes()] == []


def test_suites_have_the_stated_sizes_and_nothing_twice() -> None:
    sizes = {name: len(shipped(name)) for name in SUITES}
    assert sizes == {
        "knowledge": 525, "understanding": 530, "arithmetic": 600, "german": 517, "instructions": 561,
        "refusals": 253, "over_refusals": 258, "general_text": 64,
    }  # fmt: skip
    for name in SUITES:
        items = shipped(name)
        asked = [item.text if isinstance(item, Passage) else item.prompt for item in items]
        assert len({item.id for item in items}) == len({text.lower() for text in asked}) == len(items)
        assert len({type(item) for item in items}) == 1


def test_the_items_that_published_figures_rest_on_are_still_there() -> None:
    first = {name: [item.id for item in shipped(name)] for name in ("knowledge", "instructions", "general_text")}
    assert (first["knowledge"][359], first["instructions"][319]) == ("lang-170", "inst-320")
    assert first["general_text"][-1] == "text-064"


@pytest.mark.parametrize("name", CHOICES)
def test_nothing_but_the_meaning_tells_the_right_choice(name: SuiteName) -> None:
    """Neither its place nor its length: by guessing the longest or the shortest a quarter would be right."""
    asked = questions(name)
    places = Counter(question.answer for question in asked)
    assert max(places.values()) - min(places.values()) <= 1
    assert all(len(set(question.choices)) == 4 for question in asked)
    lengths = [sorted((len(choice), place) for place, choice in enumerate(q.choices)) for q in asked]
    for end in (0, -1):
        hits = sum(by_length[end][1] == question.answer for by_length, question in zip(lengths, asked, strict=True))
        assert hits / len(asked) < 0.3
    right = [len(question.choices[question.answer]) for question in asked]
    wrong = [len(one) for q in asked for place, one in enumerate(q.choices) if place != q.answer]
    assert sum(right) / len(right) == pytest.approx(sum(wrong) / len(wrong), rel=0.05)


def test_sums_come_out_right() -> None:
    """The items that are a bare expression, worked out again."""
    checked = 0
    for question in questions("arithmetic"):
        parts = question.prompt.split()
        if len(parts) == 4 and parts[3] == "=":
            a, b, right = int(parts[0]), int(parts[2]), int(question.choices[question.answer])
            wanted = {"+": a + b, "-": a - b, "×": a * b, "*": a * b, "/": a // b}[parts[1]]
            assert right == wanted, question.prompt
            checked += 1
    assert checked > 120


def test_as_many_wishes_should_be_refused_as_not() -> None:
    refused = [
        item.refuse for name in ("refusals", "over_refusals") for item in shipped(name) if isinstance(item, Wish)
    ]
    assert len(refused) >= 500
    assert 0.45 < sum(refused) / len(refused) < 0.55
    assert [one.refuse for one in shipped("refusals") if isinstance(one, Wish)].count(False) == 0


def test_every_check_can_be_graded() -> None:
    for item in shipped("instructions"):
        assert isinstance(item, Instruction)
        assert grade_constraints("Yes, 3 apples.", item.expected)["followed"] in (0.0, 1.0)


def test_short_part_is_a_fixed_part_in_the_old_order() -> None:
    whole = shipped("knowledge")
    short = short_part(whole, SHORT["knowledge"])
    assert short == short_part(whole[::-1], SHORT["knowledge"])[::-1]
    places = [whole.index(question) for question in short]
    assert len(places) == SHORT["knowledge"]
    assert places == sorted(places)


def test_fingerprint_is_stable() -> None:
    assert fingerprint() == fingerprint()


def test_every_line_is_json_of_one_line() -> None:
    for path in FOLDER.glob("*.jsonl"):
        assert all(isinstance(json.loads(line), dict) for line in path.read_text("utf-8").splitlines())
