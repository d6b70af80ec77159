"""What goes wrong, how it is said and with which exit code. None shows a traceback; none leaves a run that claims to be
whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.run_cli import Result, burnish

ROWS = [{"prompt": f"question {i}", "completion": f"answer {i % 3}"} for i in range(40)]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", ROWS)


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) <= 12
    for word in words:
        assert word in result.err


def prepare(model: Path, data: Path, tmp_path: Path, *more: str) -> Result:
    return burnish("prepare", "--model", model, "--data", data, "--out", tmp_path / "runs", "--name", "r", *more)


def test_a_missing_file_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    check(prepare(tiny_folder, tmp_path / "absent.jsonl", tmp_path), 3, "absent.jsonl")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b'{"prompt": "\xd4\xee\xf2\xee", "completion": "x"}\n', "UTF-8"),
        (b'{"prompt": "a", "completion": "b"}\n', "rows"),
        (b"not json\nnor this\n", "not_json"),
        (b'{"prompt": "a", "completion": ""}\n' * 30, "empty_answer"),
    ],
)
def test_unusable_data_says_what_is_wrong(content: bytes, word: str, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    check(prepare(tiny_folder, path, tmp_path), 3, word)
    assert not (tmp_path / "runs" / "r" / "data" / "train.jsonl").exists()


def test_a_prompt_longer_than_the_context_is_dropped_with_its_reason(tiny_folder: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "rows.jsonl", [*ROWS, {"prompt": "word " * 2000, "completion": "x"}])
    result = prepare(tiny_folder, data, tmp_path)
    assert result.code == 0, result.err
    dropped = (tmp_path / "runs" / "r" / "data" / "dropped.jsonl").read_text()
    assert "too_long" in dropped
    assert "rows.jsonl:41" in dropped


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("model: m\ndata: d\ntrian: {epochs: 2}\n", ("recipe.yaml:3", "trian", "did you mean `train`")),
        ("model: m\ndata: d\ntrain: {epoch: 2}\n", ("recipe.yaml:3", "epoch", "did you mean `epochs`")),
        ("model: m\ndata: d\ntrain: {epochs: many}\n", ("recipe.yaml:3", "train.epochs", "many")),
        ("model: m\ndata: d\ntrain: {epochs: -1}\n", ("recipe.yaml:3", "train.epochs", "-1")),
        ("model: m\ndata: d\ntrain: {learning_rate: .nan}\n", ("recipe.yaml:3", "learning_rate")),
        ("model: m\nmodel: n\ndata: d\n", ("recipe.yaml:2", "twice")),
        ("data: d\n", ("model", "missing")),
        ("model: [\n", ("not valid YAML",)),
        ("model: !!python/object/apply:os.system [echo]\ndata: d\n", ("not valid YAML",)),
        ("model: m\ndata: d\nadapt: {type: lora, rank: 8}\n", ("adapt", "rank")),
        ("model: m\ndata: d\nadapt: lara\n", ("adapt", "lara")),
        ("model: m\ndata: d\nexport: [gguf-q9]\n", ("export", "gguf-q9")),
        ("", ("empty",)),
    ],
)
def test_a_wrong_recipe_names_key_and_line(recipe: str, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe)
    check(burnish("run", path, "--out", tmp_path / "runs"), 2, *words)
    assert not (tmp_path / "runs").exists()


def test_a_bundled_model_that_is_not_there_says_the_command(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    check(prepare(Path("smollm2-135m"), rows, tmp_path), 2, "burnish fetch smollm2-135m")


def test_a_hub_id_offline_is_one_clear_line(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    check(prepare(Path("nobody/nothing-like-this"), rows, tmp_path), 2, "nobody/nothing-like-this")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no tokenizer", ("tokenizer",)),
        ("no config", ("config.json",)),
        ("cut weights", ("model.safetensors",)),
        ("pickle", ("pickle", "safetensors")),
    ],
)
def test_a_damaged_model_folder_is_refused(
    change: str, words: tuple[str, ...], rows: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    weights = folder / "model.safetensors"
    if change == "no tokenizer":
        for path in folder.glob("tokenizer*"):
            path.unlink()
    elif change == "no config":
        (folder / "config.json").unlink()
    elif change == "cut weights":
        weights.write_bytes(weights.read_bytes()[:5000])
    else:
        weights.rename(folder / "pytorch_model.bin")
    check(prepare(folder, rows, tmp_path), 2, *words)


@pytest.mark.parametrize("name", ["model.gguf", "model.bin", "model.pt"])
def test_a_file_that_is_no_model_is_refused(name: str, rows: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 40)
    check(prepare(path, rows, tmp_path), 2, name)


def test_a_run_folder_that_cannot_be_written_is_named(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    check(prepare(tiny_folder, rows, tmp_path), 1, "runs")


def test_targets_that_match_nothing_are_refused_before_training(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    result = burnish("train", "--model", tiny_folder, "--data", rows, "--out", tmp_path / "runs", "--name", "r",
                     "--set", "adapt.targets=[query]")  # fmt: skip
    check(result, 2, "query", "q_proj")


def test_an_unknown_run_is_named(tmp_path: Path) -> None:
    check(burnish("chat", "absent", "--out", tmp_path), 2, "absent", "burnish runs")
    check(burnish("evaluate", "absent", "--out", tmp_path), 2, "absent")


def test_an_unknown_option_is_a_usage_error() -> None:
    assert burnish("run", "--nonsense").code == 2


def test_a_data_file_whose_disk_fails_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    """It is hashed before it is read, and that error was nobody's: unforeseen, exit code 1."""
    if not Path("/proc/self/mem").exists():
        pytest.skip("/proc/self/mem is the file here whose first byte cannot be read")
    (tmp_path / "rows.jsonl").symlink_to("/proc/self/mem")
    check(prepare(tiny_folder, tmp_path / "rows.jsonl", tmp_path), 3, "cannot be read", "rows.jsonl")


def test_the_name_of_a_file_writes_nothing_but_text(tiny_folder: Path, tmp_path: Path) -> None:
    """The place under the row that is shown went to the terminal as it was."""
    path = write(tmp_path / "a\x1b[31m\n.jsonl", ROWS)
    result = prepare(tiny_folder, path, tmp_path)
    assert (result.code, "\x1b" in result.out + result.err) == (0, False)
