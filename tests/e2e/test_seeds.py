"""`--seeds`: trainings with other seeds as runs of their own, on the same rows, against the same opponents' answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run_cli import Result, burnish

COLOURS = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}


def run(out: Path, *more: str | Path) -> Result:
    return burnish("run", out.parent / "recipe.yaml", "--out", out, *more)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(15) for thing, colour in COLOURS.items()]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "recipe.yaml").write_text(
        f"name: r\nmodel: {tiny_folder}\ndata: rows.jsonl\ntrain: {{steps: 30, learning_rate: 0.005, seed: 4}}\n"
        "evaluate: {retention: off, max_new_tokens: 4, examples: 1}\nexport: []\n"
    )
    out = folder / "runs"
    done = run(out, "--seeds", "3")
    assert done.code == 0, done.err
    assert done.out.count("the opponents' answers are those of r") == 2
    assert done.out.count("choosing the prompt") == 3, "three rungs of one search: nothing is chosen again"
    return out


def test_each_training_is_a_run_of_its_own_on_the_same_rows(runs: Path) -> None:
    names = ("r", "r-seed5", "r-seed6")
    arms = [read(runs / name / "arms.json") for name in names]
    assert len({one["identity"]["weights"] for one in arms}) == 3
    assert len({(runs / name / "data" / "test.jsonl").read_bytes() for name in names}) == 1
    opponents = [
        [line for line in (runs / name / "items.jsonl").read_text("utf-8").splitlines() if '"arm": "tuned"' not in line]
        for name in names
    ]
    assert opponents[0] == opponents[1] == opponents[2] != []
    assert [read(runs / name / "environment.json")["seed"] for name in names] == [4, 5, 6]


def test_the_first_run_shows_the_spread(runs: Path) -> None:
    spread = read(runs / "r" / "seeds.json")
    assert [(one["run"], one["seed"]) for one in spread["trainings"]] == [("r", 4), ("r-seed5", 5), ("r-seed6", 6)]
    assert len(spread["pairs"]) == 3
    assert "## Trained again" in (runs / "r" / "verdict.md").read_text("utf-8")
    assert "Trained again" in (runs / "r" / "report.html").read_text("utf-8")
    assert not (runs / "r-seed5" / "seeds.json").exists()


def test_the_spread_costs_later_tries_nothing(runs: Path) -> None:
    assert [read(runs / name / "verdict.json")["task"]["tries"] for name in ("r", "r-seed5", "r-seed6")] == [1, 2, 3]
    later = run(runs, "--name", "later", "--set", "train.seed=4", "--set", "train.steps=29")
    assert later.code == 0, later.err
    assert read(runs / "later" / "verdict.json")["task"]["tries"] == 2


def test_the_answers_that_were_taken_over_are_what_would_have_been_computed(runs: Path) -> None:
    again = runs / "r-seed5"
    before = (again / "items.jsonl").read_bytes()
    (runs / "r" / "arms.json").rename(runs / "hidden.json")
    try:
        done = burnish("evaluate", again, "--fresh")
    finally:
        (runs / "hidden.json").rename(runs / "r" / "arms.json")
    assert done.code == 0, done.err
    assert "the opponents' answers are those of" not in done.out
    assert (again / "items.jsonl").read_bytes() == before


def test_the_same_command_does_nothing_again(runs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*.safetensors")}
    done = run(runs, "--seeds", "3")
    assert done.code == 0, done.err
    assert done.out.count("train: done before") == 3
    by_name = burnish("evaluate", runs / "r", "--seeds", "3")
    assert by_name.code == 0, by_name.err
    assert by_name.out.count("evaluate: done before") == 3
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.safetensors")} == before


def test_what_makes_no_sense_is_refused(runs: Path) -> None:
    nested = burnish("evaluate", runs / "r-seed5", "--seeds", "2")
    assert nested.code == 2
    assert "repeats another one" in nested.err
    (runs / "r-seed7").mkdir()
    (runs / "r-seed7" / "stages.json").write_text("{}")
    taken = run(runs, "--seeds", "4")
    assert taken.code == 2
    assert "another run of the name" in taken.err
    assert burnish("train", runs / "r", "--seeds", "2", "--ranks", "2").code == 2


def test_training_alone_is_repeated_and_nothing_is_judged(runs: Path) -> None:
    done = burnish("train", runs.parent / "recipe.yaml", "--out", runs, "--name", "alone", "--seeds", "2", "--set",
                   "train.steps=2")  # fmt: skip
    assert done.code == 0, done.err
    assert (runs / "alone-seed5" / "adapter").exists()
    assert not (runs / "alone-seed5" / "items.jsonl").exists()
    assert not (runs / "alone" / "seeds.json").exists()


def test_python_asks_for_seeds_too(runs: Path) -> None:
    import burnish as package

    made = package.run(runs.parent / "recipe.yaml", runs=runs, seeds=3)
    assert made.folder.seeds.exists()
