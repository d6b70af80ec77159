"""`burnish import` on the command line: where the recipe goes, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.recipe.recipe import read_recipe
from tests.cli.run_cli import burnish
from tests.unit.recipe.imports.cases import FILES


def test_the_recipe_goes_to_stdout_and_the_lists_to_stderr() -> None:
    result = burnish("import", FILES / "axolotl/qlora_chat.yml")
    assert result.code == 0, result.err
    assert result.out.startswith("# From qlora_chat.yml (Axolotl)")
    assert "did you mean `sequence_len`?" in result.err
    assert "no counterpart:" in result.err


def test_a_recipe_written_elsewhere_still_finds_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(work)
    out, page = elsewhere / "recipe.yaml", elsewhere / "lists.md"
    result = burnish("import", FILES / "axolotl/lora_alpaca.yml", "--out", out, "--report", page)
    assert result.code == 0, result.err
    recipe, base = read_recipe(out)
    places = [(base / name).resolve() for name in recipe.data.train_files]
    assert places == [work / "data/instructions.jsonl", work / "data/more.jsonl"]
    assert page.read_text().startswith("# lora_alpaca.yml, imported from Axolotl")


def test_what_cannot_be_expressed_ends_with_2_after_the_list(tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    result = burnish("import", FILES / "axolotl/kto.yml", "--out", out)
    assert result.code == 2
    assert result.out == ""
    assert not out.exists()
    assert "  rl: kto" in result.err
    assert result.err.splitlines()[-3] == "error: These settings make no recipe."


def test_no_file_is_written_over(tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    out.write_text("mine")
    result = burnish("import", FILES / "axolotl/dpo.yml", "--out", out)
    assert result.code == 2
    assert out.read_text() == "mine"


def test_options_fill_in_what_a_job_does_not_hold() -> None:
    result = burnish("import", FILES / "openai/legacy.json", "--model", "org/open", "--data", "rows.jsonl")
    assert result.code == 0, result.err
    assert "name: org/open  # --model" in result.out
    assert "train: rows.jsonl  # --data" in result.out
