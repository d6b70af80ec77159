from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import pytest
import torch
from torch import Tensor

from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings
from burnish.core.errors import ModelError, Stopped
from burnish.core.files import read_jsonl
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered
from burnish.train.checkpoint import read_checkpoint, step_folder
from burnish.train.guard import NotFinite
from burnish.train.loop import measure, update
from tests.descent import Descent
from tests.unit.train.conftest import CPU, MakeRun, TinyRun

METHODS = {"LoRA": LoRASettings(r=4, alpha=8), "full": FullSettings(), "freeze": FreezeSettings(layers=1)}


@dataclass
class Disturbed:
    """The supervised objective, with something that happens at the n-th forest."""

    at: int
    disturb: Callable[[], None]
    seen: int = 0
    sft: SFT = field(default_factory=SFT)

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        return self.sft.passes(rows, tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return self.sft.counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        self.seen += 1
        if self.seen == self.at:
            self.disturb()
        return self.sft.terms(model, forest)


def break_down() -> None:
    raise RuntimeError("the lights went out")


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def weights(tiny: TinyRun) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in tiny.parameters.items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("adapt", METHODS.values(), ids=METHODS)
def test_two_runs_are_equal_to_the_last_byte(make_run: MakeRun, adapt: AdaptSettings) -> None:
    first, second = make_run("first", adapt), make_run("second", adapt)
    first.train()
    second.train()
    assert same(weights(first), weights(second))
    assert first.run.metrics.read_bytes() == second.run.metrics.read_bytes()
    kept = [path.relative_to(first.run.path) for path in sorted(first.run.checkpoints.rglob("*")) if path.is_file()]
    assert kept
    assert all((first.run.path / path).read_bytes() == (second.run.path / path).read_bytes() for path in kept)


def test_another_seed_gives_another_run(make_run: MakeRun) -> None:
    first, second = make_run("first", seed=0), make_run("second", seed=1)
    first.train()
    second.train()
    assert first.run.metrics.read_bytes() != second.run.metrics.read_bytes()


DROPPING = LoRASettings(r=4, alpha=8, dropout=0.3, start="pissa")


@pytest.mark.parametrize(
    ("adapt", "at"),
    [*product([METHODS["LoRA"], METHODS["full"]], [1, 9, 16, 23]), (DROPPING, 9)],
    ids=[*map(str, product(["LoRA", "full"], [1, 9, 16, 23])), "dropout"],
)
def test_a_run_that_broke_down_goes_on_to_the_same_bytes(make_run: MakeRun, adapt: AdaptSettings, at: int) -> None:
    """Broken in the first update, between two checkpoints, in a measurement on dev, twice."""
    whole, broken = make_run("whole", adapt), make_run("broken", adapt)
    whole.train()
    with pytest.raises(RuntimeError, match="lights"):
        broken.train(Disturbed(at, break_down))
    broken = make_run("broken", adapt)
    with pytest.raises(RuntimeError, match="lights"):
        broken.train(Disturbed(3, break_down))
    broken = make_run("broken", adapt)
    progress = broken.train()
    assert progress.step == 12
    assert same(weights(whole), weights(broken))
    assert whole.run.metrics.read_bytes() == broken.run.metrics.read_bytes()


@pytest.mark.parametrize("adapt", [METHODS["LoRA"], METHODS["full"]], ids=["LoRA", "full"])
def test_sigterm_saves_the_step_at_hand_and_the_run_goes_on_to_the_same_bytes(
    make_run: MakeRun, adapt: AdaptSettings
) -> None:
    whole, stopped = make_run("whole", adapt), make_run("stopped", adapt)
    whole.train()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="of 12; everything up to it is saved") as caught:
        stopped.train(Disturbed(8, terminate))
    assert caught.value.exit_code == 75
    assert signal.getsignal(signal.SIGTERM) == before
    done = read_jsonl(stopped.run.metrics)[-1]["step"]
    assert 1 < done < 12
    assert step_folder(stopped.run.checkpoints, done).is_dir()
    stopped = make_run("stopped", adapt)
    stopped.train()
    assert stopped.said[0] == f"going on after step {done}"
    assert same(weights(whole), weights(stopped))
    assert whole.run.metrics.read_bytes() == stopped.run.metrics.read_bytes()


def test_a_damaged_checkpoint_costs_steps_and_not_the_result(make_run: MakeRun) -> None:
    whole, broken = make_run("whole", save_every=2), make_run("broken", save_every=2)
    whole.train()
    with pytest.raises(RuntimeError):
        broken.train(Disturbed(27, break_down))
    newest = max(broken.run.checkpoints.iterdir())
    (newest / "optimiser.safetensors").write_bytes(b"")
    broken = make_run("broken", save_every=2)
    broken.train()
    assert f"checkpoint {newest.name} is damaged (optimiser.safetensors)" in broken.said[0]
    assert same(weights(whole), weights(broken))
    assert whole.run.metrics.read_bytes() == broken.run.metrics.read_bytes()


def test_a_damaged_best_checkpoint_is_named_and_training_still_ends(make_run: MakeRun) -> None:
    dev = {"sky": "the line of the grass", "one": "parcel 🦊"}  # the longer training goes on, the worse these are
    tiny = make_run(steps=24, evaluate_every=2, rate=2e-2, dev=dev)
    with pytest.raises(RuntimeError):
        tiny.train(Disturbed(50, break_down))
    best, before, newest = sorted(tiny.run.checkpoints.iterdir())
    assert int(before.name) == int(newest.name) - 2
    (best / "weights.safetensors").write_bytes(b"")
    tiny = make_run(steps=24, evaluate_every=2, rate=2e-2, dev=dev)
    progress = tiny.train()
    assert f"the best checkpoint, {best.name}, is damaged" in tiny.said[0]
    assert progress.best_step >= int(newest.name)


def test_early_stop_keeps_the_weights_that_were_best_on_dev(make_run: MakeRun) -> None:
    dev = {"sky": "the line of the grass", "one": "parcel 🦊"}
    tiny = make_run(steps=60, evaluate_every=2, patience=3, rate=2e-2, dev=dev)
    progress = tiny.train()
    losses = dict(progress.history)
    assert progress.step == progress.best_step + 2 * 3 < 60
    assert progress.best_loss == min(losses.values()) == losses[progress.best_step]
    best = read_checkpoint(step_folder(tiny.run.checkpoints, progress.best_step))
    assert same(weights(tiny), best.weights)
    assert measure(tiny.decoder, SFT(), tiny.dev, tiny.plan, World(0, 1, CPU)) == progress.best_loss
    lines = read_jsonl(tiny.run.metrics)
    assert [line["step"] for line in lines] == list(range(1, progress.step + 1))
    assert {line["step"]: line["dev_loss"] for line in lines if "dev_loss" in line} == losses


def test_a_finished_run_is_not_trained_again(make_run: MakeRun) -> None:
    first = make_run()
    first.train()
    metrics = first.run.metrics.read_bytes()
    again = make_run()
    again.train(Disturbed(1, break_down))
    assert same(weights(first), weights(again))
    assert again.run.metrics.read_bytes() == metrics


@pytest.mark.parametrize("adapt", [METHODS["LoRA"], METHODS["full"]], ids=["LoRA", "full"])
@pytest.mark.parametrize("tokens_per_pass", [1, 80, 100_000])
def test_packing_and_accumulation_leave_the_gradient_as_it_is(
    make_run: MakeRun, adapt: AdaptSettings, tokens_per_pass: int
) -> None:
    """One row a pass, two or three, all at once: the same gradient to 1e-9 in float64."""

    def gradient(tokens: int) -> tuple[dict[str, Tensor], float]:
        tiny = make_run("run", adapt, rows_per_update=8, tokens_per_pass=tokens, dtype=torch.float64)
        for parameter in tiny.parameters.values():
            parameter.data = parameter.data.double() + 0.01  # LoRA's B starts at zero, which would hide A
        before = weights(tiny)
        plain = Descent(tiny.parameters)
        settings = tiny.settings.model_copy(update={"clip": 1e9})
        line = update(tiny.decoder, tiny.parameters, plain, SFT(), tiny.rows, tiny.plan,  # type: ignore[arg-type]
                      settings, World(0, 1, CPU), 0)  # fmt: skip
        moved = weights(tiny)
        return {name: (before[name] - moved[name]) / line["learning_rate"] for name in before}, line["loss"]

    (expected, loss), (got, other) = gradient(1), gradient(tokens_per_pass)
    passes = SFT().passes(make_run("run").rows.take(range(8)), tokens_per_pass)
    assert len(passes) == {1: 8, 80: 3, 100_000: 1}[tokens_per_pass]
    assert other == pytest.approx(loss, rel=1e-12)
    assert max(float(tensor.abs().max()) for tensor in expected.values()) > 1e-2
    for name, tensor in expected.items():
        assert (got[name] - tensor).abs().max() < 1e-9, name


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_model_that_is_not_finite_is_refused_by_the_name_of_the_tensor(make_run: MakeRun, bad: float) -> None:
    tiny = make_run()
    tiny.decoder.model.norm.weight.data[3] = bad
    with pytest.raises(ModelError, match="not finite before training") as caught:
        tiny.train()
    assert caught.value.where == "model.norm.weight"
    assert not tiny.run.metrics.exists()
    assert not tiny.run.checkpoints.exists()


def test_a_loss_on_dev_that_is_not_finite_is_an_error_of_ours_and_nothing_is_saved(make_run: MakeRun) -> None:
    tiny = make_run(rate=1e30, evaluate_every=1)
    with pytest.raises(NotFinite, match="dev is not finite after step 1"):
        tiny.train()
    assert not tiny.run.checkpoints.exists()


def test_a_tiny_model_learns_eight_rows_by_heart(make_run: MakeRun) -> None:
    tiny = make_run("run", FullSettings(), steps=60, rows_per_update=8, rate=5e-3, evaluate_every=20, save_every=60)
    tiny.train()
    losses = [line["loss"] for line in read_jsonl(tiny.run.metrics)]
    assert losses[-1] < 0.1 * losses[0]


def test_the_line_of_a_step_says_what_was_done(make_run: MakeRun) -> None:
    tiny = make_run(steps=2, evaluate_every=2)
    tiny.train()
    lines = read_jsonl(tiny.run.metrics)
    keys = ["step", "loss", "learning_rate", "grad_norm", "tokens", "tokens_computed", "accuracy"]
    assert [list(line) for line in lines] == [keys, [*keys, "dev_loss", "dev_accuracy"]]
    # One update of warm-up: half of the peak; then the peak itself.
    assert [line["learning_rate"] for line in lines] == [1.5e-3, 3e-3]
    timings = read_jsonl(tiny.run.timings)
    assert [list(line) for line in timings] == [["step", "seconds", "tokens_per_s", "memory_mb"]] * 2
