"""`burnish verdict` and `burnish compare` on folders of finished runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.files import append_jsonl, write_json, write_text
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.verdict_text import write_verdict
from tests.cli.run_cli import burnish

ARMS = {"opponents": ["base"], "task": {"metric": "correct", "shape": "number"}, "seed": 0}


def finished(folder: Path, name: str, right: str, recipe: str) -> RunFolder:
    """A run whose specialist answers item n rightly where `right` holds a 1; the base is always wrong."""
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    for n, mark in enumerate(right):
        for arm, score in (("base", 0.0), ("tuned", float(mark))):
            append_jsonl(
                run.items, Item("task", str(n), arm, f"q{n}", "1", str(int(score)), {"correct": score}).to_json()
            )
    write_json(run.arms, ARMS)
    write_json(run.stages, {})
    write_text(run.recipe, recipe)
    write_verdict(run)
    return run


def test_a_verdict_is_worked_out_again_from_the_answers_and_a_changed_answer_is_noticed(tmp_path: Path) -> None:
    run = finished(tmp_path, "one", "1" * 30, "train: {seed: 0}\n")
    again = burnish("verdict", "one", "--recompute", "--gate=task=BETTER", "--out", tmp_path)
    assert again.code == 0, again.err
    assert "worked out again from 60 answers: the same in every digit" in again.out
    assert "BETTER at the task" in again.out
    assert "graded 60 answers again: the same scores" in again.out
    whole = run.items.read_text()
    run.items.write_text(whole.replace('"correct": 1.0', '"correct": 0.0', 1))
    changed = burnish("verdict", "one", "--recompute", "--out", tmp_path)
    assert changed.code == 1
    assert "Graded again, 1 of 60 answers get another score" in changed.err
    assert "arm tuned, item 0" in changed.err
    run.items.write_text(
        whole.replace('"output": "1", "scores": {"correct": 1.0}', '"output": "0", "scores": {"correct": 0.0}')
    )
    changed = burnish("verdict", "one", "--recompute", "--out", tmp_path)
    assert changed.code == 1
    assert "the verdict is another one" in changed.err
    assert "verdict.task" in changed.err


def test_runs_are_compared_with_the_first_and_their_recipes_with_each_other(tmp_path: Path) -> None:
    finished(tmp_path, "one", "1" * 30, "train: {seed: 0, steps: 9}\n")
    finished(tmp_path, "two", "1" * 10 + "0" * 20, "train: {seed: 1, steps: 9}\n")
    result = burnish("compare", "one", "two", "--out", tmp_path)
    assert result.code == 0, result.err
    assert "task: 30 items that all answered; one against each" in result.out
    assert "+66.7 points" in result.out
    assert "20 / 0" in result.out
    assert "train.seed" in result.out
    assert "train.steps" not in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "one"), "Name two runs or more"),
        (("compare", "one", "one"), "Name two runs or more"),
        (("compare", "one", "none"), "no such recipe or run"),
        (("verdict", "bare"), "was not evaluated yet"),
    ],
)
def test_what_cannot_be_judged_is_said(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    finished(tmp_path, "one", "1" * 30, "train: {seed: 0}\n")
    (tmp_path / "bare").mkdir()
    write_text(tmp_path / "bare" / "recipe.yaml", "train: {seed: 0}\n")
    write_json(tmp_path / "bare" / "stages.json", {})
    result = burnish(*arguments, "--out", tmp_path)
    assert result.code == 2
    assert message in result.err
