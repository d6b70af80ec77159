"""The whole way with preferences on a tiny model: both references, going on, refusing, the verdict."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from burnish.core.files import read_json, read_jsonl
from tests.cli.run_cli import Result, burnish

# What is preferred depends on the question alone, so a model that has learnt nothing is right about half the time.
LIKED = {"sky": ("tan", "red"), "grass": ("red", "tan"), "blood": ("tan", "red"), "snow": ("red", "tan")}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "liked.jsonl"
    lines = [{"prompt": f"{n}: {thing}?", "chosen": chosen, "rejected": rejected}
             for n in range(20) for thing, (chosen, rejected) in LIKED.items()]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(model: Path, rows: Path, out: Path, name: str, *changes: str) -> Result:
    settings = ["objective={type: dpo}", "train.learning_rate=0.003", "train.epochs=12", "train.patience=90",
                "evaluate.retention=off", "model.dtype=float32", "export=[merged]", *changes]  # fmt: skip
    sets = [part for setting in settings for part in ("--set", setting)]
    return burnish("run", "--model", model, "--data", rows, "--out", out, "--name", name, *sets)


@pytest.fixture(scope="module")
def done(tiny_folder: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    for name, changes in {"switch": ("objective.reference=switch",), "cached": ("objective.reference=cached",)}.items():
        result = run(tiny_folder, rows, out, name, *changes)
        assert result.code == 0, result.err
    return out


def scores(run: Path, arm: str, metric: str) -> list[float]:
    items: list[dict[str, Any]] = read_jsonl(run / "items.jsonl")
    return [item["scores"][metric] for item in items if item["suite"] == "task" and item["arm"] == arm]


def test_the_specialist_learnt_what_is_liked(done: Path) -> None:
    for name in ("switch", "cached"):
        before, after = (scores(done / name, arm, "preference") for arm in ("base", "tuned"))
        assert len(before) == len(after) == 20
        assert sum(before) < 12
        assert sum(after) > 14
        margins = [sum(scores(done / name, arm, "logprob_margin")) for arm in ("base", "tuned")]
        assert margins[1] > margins[0] + 16
        verdict = read_json(done / name / "verdict.json")["task"]
        assert verdict["outcome"] == "BETTER"
        assert [one["opponent"] for one in verdict["comparisons"]] == ["base"]
        assert "no prompt is searched" in read_json(done / name / "arms.json")["prompted"]["left_out"]


def test_both_references_give_the_same_training(done: Path) -> None:
    lines, others = (read_jsonl(done / name / "metrics.jsonl") for name in ("switch", "cached"))
    assert lines[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert [line["loss"] for line in lines] == pytest.approx([line["loss"] for line in others], abs=1e-3)
    assert lines[-1]["loss"] < 0.3
    assert not (done / "switch" / "reference.json").exists()
    pairs = sum(len(read_jsonl(done / "cached" / "data" / f"{part}.jsonl")) for part in ("train", "dev"))
    assert len(read_json(done / "cached" / "reference.json")["logprobs"]) == pairs


def test_full_fine_tuning_asks_the_base_once_and_goes_on_with_the_same_numbers(
    tiny_folder: Path, rows: Path, tmp_path: Path
) -> None:
    few = ("adapt=full", "train.steps=4", "train.evaluate_every=2", "data.instructions=Name the colour.")
    assert run(tiny_folder, rows, tmp_path, "whole", *few).code == 0
    again = tmp_path / "whole"
    reference, metrics = (again / "reference.json").read_bytes(), (again / "metrics.jsonl").read_bytes()
    # as after a crash between the last checkpoint and the end of the stage
    (again / "training.json").unlink()
    shutil.rmtree(again / "model")
    stages = read_json(again / "stages.json")
    stages["train"]["finished"] = False
    (again / "stages.json").write_text(json.dumps(stages))
    result = run(tiny_folder, rows, tmp_path, "whole", *few)
    assert result.code == 0, result.err
    assert "asking the model before training" not in result.out
    assert (again / "reference.json").read_bytes() == reference
    assert (again / "metrics.jsonl").read_bytes() == metrics
    arms = read_json(again / "arms.json")
    assert arms["opponents"] == ["base", "prompted"]
    assert "Name the colour." in arms["prompted"]["prompt"]


def test_objective_and_data_must_fit(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    result = run(tiny_folder, rows, tmp_path, "wrong", "objective=sft")
    assert result.code == 2
    assert "--set objective=dpo" in result.err
    chats = tmp_path / "chats.jsonl"
    chats.write_text("".join(json.dumps({"prompt": f"{n}?", "completion": "yes"}) + "\n" for n in range(40)))
    result = run(tiny_folder, chats, tmp_path, "wrong")
    assert result.code == 2
    assert "--set objective=sft" in result.err
    assert not (tmp_path / "wrong").exists()


def test_a_reference_by_switching_needs_an_adapter(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    result = run(tiny_folder, rows, tmp_path, "full", "adapt=full", "objective.reference=switch")
    assert result.code == 2
    assert "auto or cached" in result.err


def test_a_pair_too_long_for_the_context_is_left_out_with_its_reason(
    tiny_folder: Path, rows: Path, tmp_path: Path
) -> None:
    data = tmp_path / "long.jsonl"
    long = {"prompt": "x?", "chosen": "no " * 300, "rejected": "yes"}
    data.write_text(rows.read_text() + json.dumps(long) + "\n")
    arguments = ("--model", tiny_folder, "--data", data, "--out", tmp_path, "--name", "long", "--set", "objective=dpo")
    assert burnish("prepare", *arguments).code == 0
    (dropped,) = read_jsonl(tmp_path / "long" / "data" / "dropped.jsonl")
    assert dropped["reason"] == "too_long"


def test_show_prints_both_answers(tiny_folder: Path, rows: Path) -> None:
    result = burnish("show", rows, "--row", "1", "--model", tiny_folder)
    assert result.code == 0, result.err
    assert "tan" in result.out
    assert "red" in result.out
    assert ":1, chosen:" in result.out
    assert ":1, rejected:" in result.out
