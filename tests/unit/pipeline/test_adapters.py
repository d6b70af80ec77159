"""Adapters by name: listed, added up, and refused where they do not belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from burnish.adapt.lora_file import Update, read_lora
from burnish.adapt.several import write_update
from burnish.cli.main import app
from burnish.core.errors import BurnishError
from burnish.pipeline.adapters import all_adapters, combine_adapters, find_adapter

NAME = "model.layers.0.mlp.up_proj"


def run_with_adapter(runs: Path, name: str, value: float, *, base: str = "one") -> None:
    """A run whose adapter adds `value` to every number of a 2 x 3 matrix: B is a column of `value`, A a row of ones."""
    update = Update(torch.ones(1, 3), torch.full((2, 1), value), 1.0)
    (runs / name).mkdir(parents=True)
    write_update(runs / name / "adapter", {NAME: update}, base=base)
    (runs / name / "environment.json").write_text(json.dumps({"model": {"name": base, "sha256": base}}))


def test_the_sum_has_the_weights_that_were_named(tmp_path: Path) -> None:
    run_with_adapter(tmp_path, "first", 3.0)
    run_with_adapter(tmp_path, "second", 5.0)
    chosen = [find_adapter(text, tmp_path) for text in ("first=0.5", str(tmp_path / "second" / "adapter"))]
    assert combine_adapters(chosen, tmp_path / "sum") == 2
    made = read_lora(tmp_path / "sum")[NAME]
    assert torch.equal(made.scale * made.b @ made.a, torch.full((2, 3), 6.5))  # 3 / 2 + 5


def test_all_are_listed_with_their_kind(tmp_path: Path) -> None:
    run_with_adapter(tmp_path, "first", 3.0)
    run_with_adapter(tmp_path, "second", 5.0, base="two")
    assert [(one.name, one.base, one.kind) for one in all_adapters(tmp_path)] == [
        ("first", "one", "LORA r 1"), ("second", "two", "LORA r 1")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("first", "third"), "no adapter of that name"),
        (("first=much",), "is a number"),
        (("first=nan",), "is a number"),
        (("first", "first=2"), "named twice"),
        (("first", "other"), "different base models"),
    ],
)
def test_what_can_not_be_added_is_refused(tmp_path: Path, texts: tuple[str, ...], message: str) -> None:
    run_with_adapter(tmp_path, "first", 3.0)
    run_with_adapter(tmp_path, "other", 3.0, base="two")
    with pytest.raises(BurnishError, match=message):
        combine_adapters([find_adapter(text, tmp_path) for text in texts], tmp_path / "sum")
    assert not (tmp_path / "sum").exists()


def test_the_verb_lists_and_combines(tmp_path: Path) -> None:
    run_with_adapter(tmp_path, "first", 3.0)
    run_with_adapter(tmp_path, "second", 5.0)
    listed = CliRunner().invoke(app, ["adapters", "--out", str(tmp_path)])
    assert listed.exit_code == 0
    assert "second" in listed.output
    made = CliRunner().invoke(
        app, ["adapters", "first=0.7", "second=0.3", "--combine", str(tmp_path / "sum"), "--out", str(tmp_path)]
    )
    assert made.exit_code == 0, made.output
    assert read_lora(tmp_path / "sum")[NAME].a.shape == (2, 3)
    assert CliRunner().invoke(app, ["adapters", "--combine", str(tmp_path / "x")]).exit_code != 0
