"""`burnish ladder`: rungs on the same rows as runs beside each other, then a picture and a recommendation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.run_cli import Result, burnish

COLOURS = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}


def climb(out: Path, *more: str | Path) -> Result:
    return burnish("ladder", out.parent / "recipe.yaml", "--out", out, *more)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("ladder")
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(15) for thing, colour in COLOURS.items()]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "recipe.yaml").write_text(
        f"name: r\nmodel: {tiny_folder}\ndata: rows.jsonl\nadapt: {{type: freeze, layers: 1}}\n"
        "train: {steps: 30, learning_rate: 0.005, seed: 4}\nprotect: {forget_limit: 0.01}\n"
        "evaluate: {retention: {suites: [general_text], size: short, drift: false}, opponents: [base], "
        "max_new_tokens: 4}\nexport: []\n"
    )
    done = climb(folder / "runs", "--rungs", "scale,mlp")
    assert done.code == 0, done.err
    assert "the opponents' answers are those of none" in done.out
    return folder / "runs" / "r-ladder"


def test_each_rung_is_a_run_on_the_same_rows(ladder: Path) -> None:
    assert {path.name for path in ladder.iterdir() if path.is_dir()} >= {"none", "scale"}
    assert (ladder / "none/data/test.jsonl").read_bytes() == (ladder / "scale/data/test.jsonl").read_bytes()
    assert read(ladder / "none/training.json")["choice"] is None


def test_the_ladder_holds_gain_and_forgetting_of_each_rung_and_why_one_is_missing(ladder: Path) -> None:
    found = read(ladder / "ladder.json")
    assert [one["name"] for one in found["rungs"]] == ["none", "scale"]
    assert [one["name"] for one in found["left_out"]] == ["mlp"], "freeze has no targets"
    assert found["recommended"] in found["sentence"]
    plain, scaled = found["rungs"]
    assert min(plain["gain"], scaled["gain"]) > 0
    assert plain["updates"] == scaled["updates"] == 30
    ElementTree.fromstring((ladder / "ladder.svg").read_text("utf-8"))
    page = (ladder / "ladder.html").read_text("utf-8")
    assert "<script" not in page
    assert found["sentence"].split("`")[1] in page


def test_the_choice_of_scale_is_told_in_full(ladder: Path) -> None:
    choice = read(ladder / "scale/training.json")["choice"]
    assert choice["limit"] == 0.01
    assert {point["scale"] for point in choice["points"]} >= {0, 0.25, 0.5, 0.75, 1}
    kept = [one for one in choice["points"] if (one["step"], one["scale"]) == (choice["step"], choice["scale"])]
    assert "## What was kept of the training" in (ladder / "scale/verdict.md").read_text("utf-8")
    assert "What was kept of the training" in (ladder / "scale/report.html").read_text("utf-8")
    allowed = [one for one in choice["points"] if one["forgetting"] <= 0.01]
    assert kept[0]["dev_loss"] == min(one["dev_loss"] for one in allowed)


def test_a_second_climb_does_nothing_again(ladder: Path) -> None:
    before = read(ladder / "ladder.json")
    done = climb(ladder.parent, "--rungs", "scale")
    assert done.code == 0, done.err
    assert done.out.count("train: done before") == 2
    assert read(ladder / "ladder.json")["rungs"] == before["rungs"]


def test_an_unknown_rung_is_refused_before_anything_is_done(ladder: Path) -> None:
    done = climb(ladder.parent, "--rungs", "wings")
    assert done.code == 2
    assert "There is no such rung" in done.err
