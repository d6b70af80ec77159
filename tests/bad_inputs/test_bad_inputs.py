"""A sample of each family through the whole command, drawn anew for each seed below; `python -m tests.bad_inputs` does
all of it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bad_inputs.case import Kept, Made, Refused
from tests.bad_inputs.corpus import CASES, FAMILIES
from tests.bad_inputs.injections import acts
from tests.bad_inputs.oracle import faults
from tests.bad_inputs.pickles import poison
from tests.bad_inputs.trial import Outcome

ROOT = Path(__file__).parents[2]
SEED, EACH = 7, 1
FEWEST = 410


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    assert len({case.trap for case in CASES}) == len(CASES) >= FEWEST


def test_a_sample_of_bad_files_is_read_or_refused_as_it_should_be(tmp_path: Path) -> None:
    """In a process of its own: the trials are forked from one that has imported everything and started no thread."""
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "tests.bad_inputs", "--seed", SEED, "--each", EACH, "--json", found]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    run = subprocess.run(list(map(str, command)), cwd=ROOT, env={**os.environ, "PYTHONPATH": paths},
                         capture_output=True, text=True, timeout=300)  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(found.read_text())["tried"] == EACH * len(FAMILIES)


def outcome(box: Path, *, code: int = 0, err: str = "", cpu_seconds: float = 0.1, grown: int = 0) -> Outcome:
    return Outcome(code, "", err, cpu_seconds, cpu_seconds, grown, (), box)


def test_the_oracle_sees_a_lost_row_and_a_wrong_reason(tmp_path: Path) -> None:
    data = tmp_path / "runs" / "r" / "data"
    data.mkdir(parents=True)
    (data / "card.json").write_text('{"rows_in": 3}')
    for name in ("dev", "test", "changed"):
        (data / f"{name}.jsonl").write_text("")
    (data / "train.jsonl").write_text('{"id": "1", "source": "a:1"}\n')
    (data / "dropped.jsonl").write_text('{"source": "a:2", "reason": "not_json"}\n')
    assert any("1 kept, 1 dropped" in fault for fault in faults_of(Kept(3, {"not_json": [2]}), outcome(tmp_path)))
    assert any(
        "expected {'not_json': [3]}" in fault for fault in faults_of(Kept(2, {"not_json": [3]}), outcome(tmp_path))
    )


def test_the_oracle_sees_a_traceback_control_characters_slowness_and_hunger(tmp_path: Path) -> None:
    bad = outcome(tmp_path, code=3, err="Traceback\x1b", cpu_seconds=11, grown=2 << 30)
    found = " ".join(faults_of(Refused(["empty"]), bad))
    for word in ("traceback", "on the terminal", "processor time", "more memory", "no plain error", "'empty'"):
        assert word in found


def test_a_pickle_that_runs_is_seen(tmp_path: Path) -> None:
    """The control of the family of pickles: a command that did unpickle one would leave its canary behind."""
    here = tmp_path / "data"
    here.mkdir()
    pickle.loads(poison(here)).close()
    assert (here / "canary").exists()


@pytest.mark.parametrize(
    "content",
    ["<script></script><script>alert(1)</script>", "<p onclick='a()'>", "<img src=x>", "<a href='http://x'>x</a>"],
)
def test_a_page_that_acts_is_seen(content: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<html><body>{content}</body></html>")
    assert list(acts(tmp_path / "page.html"))


def faults_of(expected: Kept | Refused, found: Outcome) -> list[str]:
    return faults(Made("rows.jsonl", expected), found)
