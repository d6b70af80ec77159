"""Guards by recipe, on a tiny model: with every method and objective they go with, and refused where they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burnish.core.files import read_json, read_jsonl
from tests.cli.run_cli import Result, burnish

ALL = "protect={replay: {share: 1}, self_replay: {share: 1}, kl: {share: 0.5}, l2: {}, ewc: {rows: 4}}"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    lines = [{"prompt": f"what is {n}?", "answer": f"it is {n % 7}"} for n in range(30)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def train(model: Path, rows: Path, out: Path, *changes: str, name: str = "run", more: tuple[str, ...] = ()) -> Result:
    settings = ["train.steps=4", "train.rows_per_update=4", "train.evaluate_every=4", "model.dtype=float32", *changes]
    sets = [part for setting in settings for part in ("--set", setting)]
    return burnish("train", "--model", model, "--data", rows, "--out", out, "--name", name, *sets, *more)


def lines(run: Path) -> list[dict[str, Any]]:
    return read_jsonl(run / "metrics.jsonl")


@pytest.mark.parametrize("adapt", ["lora", "full"])
def test_all_guards_together(tiny_folder: Path, rows: Path, tmp_path: Path, adapt: str) -> None:
    result = train(tiny_folder, rows, tmp_path, f"adapt={{type: {adapt}}}", ALL)
    assert result.code == 0, result.err
    first, *_, last = found = lines(tmp_path / "run")
    assert all({"replay", "self_replay", "kl", "l2", "ewc"} <= set(line) for line in found)
    assert abs(first["kl"]) < 1e-6
    assert first["l2"] == first["ewc"] == 0
    assert last["kl"] > 0
    assert last["l2"] > 0
    assert last["ewc"] > 0
    assert len(read_json(tmp_path / "run" / "own_answers.json")["answers"]) == 16  # 4 steps of 4 rows at a share of 1
    assert set(read_json(tmp_path / "run" / "training.json")["protect"]) == set(first) & {
        "replay", "self_replay", "kl", "l2", "ewc"
    }  # fmt: skip


def test_the_same_again_gives_the_same_bytes_and_another_weight_is_another_run(
    tiny_folder: Path, rows: Path, tmp_path: Path
) -> None:
    assert train(tiny_folder, rows, tmp_path, "protect=light").code == 0
    before = [(tmp_path / "run" / name).read_bytes() for name in ("metrics.jsonl", "own_answers.json")]
    assert train(tiny_folder, rows, tmp_path, "protect=light", more=("--fresh",)).code == 0
    assert before == [(tmp_path / "run" / name).read_bytes() for name in ("metrics.jsonl", "own_answers.json")]
    refused = train(tiny_folder, rows, tmp_path, "protect={level: light, self_replay: {weight: 2}}")
    assert refused.code == 2
    assert "protect.self_replay.weight" in refused.err


def test_preferences_are_guarded_too(tiny_folder: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    made = [{"prompt": f"what is {n}?", "chosen": "red", "rejected": "green"} for n in range(30)]
    pairs.write_text("".join(json.dumps(line) + "\n" for line in made))
    result = train(tiny_folder, pairs, tmp_path, "objective={type: dpo}", "protect=strong")
    assert result.code == 0, result.err
    assert {"margin", "kl"} <= set(lines(tmp_path / "run")[-1])


def test_an_adapter_without_matrices_takes_kl_and_refuses_l2(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    vectors = (
        "adapt={type: peft, config: {peft_type: IA3, target_modules: [down_proj], feedforward_modules: [down_proj]}}"
    )
    refused = train(tiny_folder, rows, tmp_path, vectors, "protect={l2: {}}", name="refused")
    assert refused.code == 2
    assert "protect.l2" in refused.err
    assert "protect.kl" in refused.err
    assert not (tmp_path / "refused" / "metrics.jsonl").exists()
    assert train(tiny_folder, rows, tmp_path, vectors, "protect={kl: {}}", name="taken").code == 0
    assert lines(tmp_path / "taken")[0].get("kl", 0.0) < 1e-6


def test_a_file_of_old_rows_is_read_as_train_is(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("question,answer\n" + "".join(f"who are {n}?,we are {n}\n" for n in range(6)))
    result = train(tiny_folder, rows, tmp_path, f"protect={{replay: {{file: {old}, share: 0.5}}}}")
    assert result.code == 0, result.err
    assert "replay" in lines(tmp_path / "run")[0]
    old.write_text(old.read_text() + "who is it?,it is I\n")
    assert (
        "protect.replay.file"
        in train(tiny_folder, rows, tmp_path, f"protect={{replay: {{file: {old}, share: 0.5}}}}").err
    )
    old.unlink()
    assert train(tiny_folder, rows, tmp_path, f"protect={{replay: {{file: {old}}}}}", name="absent").code == 3
