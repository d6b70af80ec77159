"""The whole way on a tiny model: prepare, train, evaluate, export; going on, refusing, gating."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.run_cli import Result, burnish

COLOURS = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}
QUICK = ("--set", "evaluate.retention=short", "--set", "export=[merged, adapter, gguf-f32]")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "colours.jsonl"
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(15) for thing, colour in COLOURS.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(model: Path, rows: Path, out: Path, *more: str) -> Result:
    long_enough = ("--set", "train.learning_rate=0.002", "--set", "train.epochs=30", "--set", "train.patience=90")
    return burnish("run", "--model", model, "--data", rows, "--out", out, "--name", "colours", *long_enough, *QUICK,
                   *more)  # fmt: skip


@pytest.fixture(scope="module")
def done(tiny_folder: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    result = run(tiny_folder, rows, out)
    assert result.code == 0, result.err
    return out / "colours"


def test_a_run_leaves_everything_that_the_contract_names(done: Path) -> None:
    names = ["recipe.yaml", "environment.json", "stages.json", "data/train.jsonl", "data/dev.jsonl", "data/test.jsonl",
             "data/dropped.jsonl", "data/card.json", "data/card.md", "metrics.jsonl", "timings.jsonl",
             "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "arms.json", "items.jsonl",
             "verdict.json", "verdict.md", "report.html", "export/merged/config.json", "export/model-f32.gguf",
             "export/parity.json", "export/Modelfile", "card.md", "events.jsonl"]  # fmt: skip
    assert [name for name in names if not (done / name).exists()] == []
    stages = json.loads((done / "stages.json").read_text())
    assert all(stages[name]["finished"] for name in ("prepare", "train", "evaluate", "export"))


def test_the_specialist_learnt_the_task_and_the_verdict_says_so(done: Path) -> None:
    verdict = json.loads((done / "verdict.json").read_text())
    items = [json.loads(line) for line in (done / "items.jsonl").read_text().splitlines()]
    tuned = [item["scores"]["correct"] for item in items if item["suite"] == "task" and item["arm"] == "tuned"]
    assert sum(tuned) / len(tuned) > 0.8
    assert verdict["task"]["outcome"] == "BETTER"


def test_a_finished_run_does_nothing_again(done: Path, tiny_folder: Path, rows: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*.safetensors")}
    result = run(tiny_folder, rows, done.parent)
    assert result.code == 0
    assert result.out.count("done before") == 4
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*.safetensors")} == before


def test_a_changed_setting_is_refused_by_name(done: Path, tiny_folder: Path, rows: Path) -> None:
    result = run(tiny_folder, rows, done.parent, "--set", "train.epochs=2")
    assert result.code == 2
    assert "train.epochs" in result.err
    assert "was 30" in result.err


def test_the_gate_sets_the_exit_code(done: Path) -> None:
    assert burnish("evaluate", done, "--gate=task=BETTER").code == 0
    assert burnish("evaluate", done, "--gate=task=WORSE").code == 4


def test_train_never_opens_test(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    arguments = ("--model", tiny_folder, "--data", rows, "--out", tmp_path, "--name", "r", "--set", "train.steps=2")
    assert burnish("prepare", *arguments).code == 0
    test = tmp_path / "r" / "data" / "test.jsonl"
    test.unlink()
    test.mkdir()  # a folder: whoever opens it fails
    result = burnish("train", *arguments)
    assert (tmp_path / "r" / "adapter" / "adapter_model.safetensors").exists(), result.err


@pytest.mark.parametrize("adapt", ["full", "{type: freeze, layers: 1}", "{type: peft, config: {peft_type: IA3}}"])
def test_every_method_goes_the_whole_way(adapt: str, tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    result = burnish("run", "--model", tiny_folder, "--data", rows, "--out", tmp_path, "--name", "r", "--set",
                     f"adapt={adapt}", "--set", "train.steps=4", "--set", "evaluate.retention=off", "--set",
                     "evaluate.opponents=[base]", "--set", "export=[merged]")  # fmt: skip
    assert result.code == 0, result.err
    assert json.loads((tmp_path / "r" / "export" / "parity.json").read_text())


def test_chat_answers_from_a_pipe(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("99: sky?\n/both\n99: grass?\n/quit\n"))
    result = burnish("chat", done)
    assert result.code == 0, result.err
    assert "blue" in result.out
    assert "[base]" in result.out
    assert "[tuned]" in result.out


def test_python_runs_and_loads(done: Path) -> None:
    import burnish as package

    made = package.load(done)
    assert made.verdict.task.outcome == "BETTER"
    assert made.chat("99: snow?") == "white"


def test_runs_lists_the_verdict(done: Path) -> None:
    result = burnish("runs", "--out", done.parent)
    assert "colours" in result.out
