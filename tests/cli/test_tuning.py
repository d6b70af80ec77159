"""What `burnish serve --tune` may be told, and by which names a base can be tuned."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.cli.tuning import known_bases
from burnish.core.errors import RecipeError
from tests.cli.run_cli import burnish


def test_a_base_is_known_by_its_own_name_and_by_those_given(tiny_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.yaml").write_text("model: {name: /models/other.gguf}\ndata: {train: a.jsonl}\n")
    bases = known_bases(["gpt-4.1-nano=model", f"mine={tiny_folder}", "far=org/name"], [str(tiny_folder)], [run])
    here = {name: bases[name] for name in ("model", "other", "gpt-4.1-nano", "mine", "far")}
    assert here == {
        "model": str(tiny_folder), "other": "/models/other.gguf", "gpt-4.1-nano": str(tiny_folder),
        "mine": str(tiny_folder), "far": "org/name",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["gpt", "=model", "gpt="])
def test_a_name_without_a_model_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="called by a name"):
        known_bases([text], [], [])


def test_jobs_are_described_only_where_they_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_HOME", str(tmp_path))
    done = burnish("serve", "--tune-as", "a=b", "--out", tmp_path / "runs")
    assert done.code == 2
    assert "add --tune" in done.err


def test_a_recipe_of_all_jobs_is_checked_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_HOME", str(tmp_path))
    (tmp_path / "jobs.yaml").write_text("train: {epoch: 3}\n")
    done = burnish(
        "serve", "--tune", "--tune-recipe", tmp_path / "jobs.yaml", "--port", "0", "--out", tmp_path / "runs"
    )
    assert done.code == 2
    assert "epoch" in done.err
    assert not (tmp_path / "runs" / ".openai").exists()
