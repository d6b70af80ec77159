"""NaN and infinity, wherever they come from: the weights stay finite, the rows are named, the metrics are honest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from burnish.core.errors import BurnishError, RecipeError
from burnish.core.files import read_jsonl
from burnish.train.checkpoint import newest_checkpoint, read_checkpoint, save_checkpoint
from burnish.train.guard import NotFinite, check_model, first_not_finite
from tests.unit.train.conftest import MakeRun
from tests.unit.train.rank_jobs import Noted
from tests.unit.train.test_checkpoint import made


class Poison(torch.autograd.Function):
    """Passes a value on, and gives a gradient of NaN."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0] * torch.nan


class BadGradient(Noted):
    """The loss is fine, its gradient is not."""

    def terms(self, model: Any, forest: Any) -> dict[str, Tensor]:
        rows = {int(row) for row in forest.target_row_N}
        terms = self.sft.terms(model, forest)
        return {name: Poison.apply(term) for name, term in terms.items()} if rows & set(self.bad) else terms


def finite(parameters: dict[str, nn.Parameter]) -> bool:
    return first_not_finite(parameters) is None


@pytest.mark.parametrize("objective", [Noted, BadGradient])
def test_the_very_row_is_named_and_nothing_is_changed(make_run: MakeRun, objective: type[Noted]) -> None:
    tiny = make_run("stop", rows_per_update=8, tokens_per_pass=100_000)  # all rows in one pass
    before = {name: parameter.detach().clone() for name, parameter in tiny.parameters.items()}
    with pytest.raises(NotFinite, match="at step 1; the weights are unchanged") as caught:
        tiny.train(objective(bad=[4]))
    assert caught.value.where == "rows rows.jsonl:5"
    assert all(torch.equal(before[name], parameter) for name, parameter in tiny.parameters.items())
    assert all(parameter.grad is None for parameter in tiny.parameters.values())


@pytest.mark.parametrize("objective", [Noted, BadGradient])
def test_a_skipped_update_is_said_to_be_one(make_run: MakeRun, objective: type[Noted]) -> None:
    """Eight rows, three an update: row 4 comes once an epoch."""
    tiny = make_run("skip", on_nan="skip", dev={"sky": "blue"})
    tiny.train(objective(bad=[4]))
    lines = [json.loads(line) for line in tiny.run.metrics.read_text().splitlines()]
    skipped = [line for line in lines if line.get("skipped")]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert 4 <= len(skipped) <= 5
    assert all(line["rows"] == ["rows.jsonl:5"] and line["grad_norm"] is None for line in skipped)
    assert all((line["loss"] is None) == (objective is Noted) for line in skipped)
    assert "NaN" not in tiny.run.metrics.read_text()
    assert finite(tiny.parameters)
    events = [event for event in read_jsonl(tiny.run.events) if "skipped" in event["what"]]
    assert [(event["step"], event["rows"]) for event in events] == [(line["step"], line["rows"]) for line in skipped]


def test_skips_and_their_count_survive_a_stop(make_run: MakeRun) -> None:
    whole, stopped = (make_run(name, on_nan="skip", dev={"sky": "blue"}) for name in ("whole", "stopped"))
    whole.train(Noted(bad=[4]))
    with pytest.raises(BurnishError, match="Stopped"):
        stopped.train(Noted(bad=[4], stop_at=9))
    make_run("stopped", on_nan="skip", dev={"sky": "blue"}).train(Noted(bad=[4]))
    assert whole.run.metrics.read_bytes() == stopped.run.metrics.read_bytes()


def test_four_skips_in_a_row_are_no_accident(make_run: MakeRun) -> None:
    tiny = make_run("skip", on_nan="skip")
    with pytest.raises(NotFinite, match="4 updates in a row were not finite, the last at step 4"):
        tiny.train(Noted(bad=range(8)))
    assert len(read_jsonl(tiny.run.metrics)) == 3
    assert finite(tiny.parameters)


@pytest.mark.parametrize("where", ["weights", "optimiser"])
def test_a_checkpoint_that_is_not_finite_is_neither_written_nor_read(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, 4, made(4))
    bad = made(8)
    tensors = bad.weights if where == "weights" else bad.optimiser
    name = list(tensors)[-1]
    tensors[name].view(-1)[-1] = torch.inf
    with pytest.raises(NotFinite, match=f"`{name}` is not finite after step 8"):
        save_checkpoint(tmp_path, 8, bad)
    assert [path.name for path in tmp_path.iterdir()] == ["000004"]
    with monkeypatch.context() as patch:  # as an older version might have written it
        patch.setattr("burnish.train.checkpoint.first_not_finite", lambda tensors: None)
        folder = save_checkpoint(tmp_path, 8, bad)
    with pytest.raises(NotFinite, match="holds values that are not finite"):
        read_checkpoint(folder)
    said: list[str] = []
    found = newest_checkpoint(tmp_path, said.append)
    assert found is not None
    assert found.state["step"] == 4
    assert said == [f"checkpoint 000008 is not finite ({name}); taking an older one"]


def test_a_large_norm_is_not_taken_for_infinity() -> None:
    assert first_not_finite({"a": torch.full((4,), 3e38), "b": torch.arange(3)}) is None
    assert first_not_finite({"a": torch.ones(2), "b": torch.tensor([1.0, -torch.inf]).bfloat16()}) == "b"


def test_what_trains_is_at_least_float32_and_something_trains() -> None:
    model = nn.Linear(2, 2).bfloat16()
    with pytest.raises(RecipeError, match="must be float32") as caught:
        check_model(model, dict(model.named_parameters()))
    assert caught.value.where == "weight"
    with pytest.raises(RecipeError, match="Nothing would train"):
        check_model(model, {})
    check_model(model.double(), dict(model.named_parameters()))
