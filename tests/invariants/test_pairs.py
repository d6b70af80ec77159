"""15: preference pairs start even, and their layout over passes and processes changes nothing.

Guards against wrong reference log-probabilities (NeMo-Aligner 68, trl 6879) and truncated answers (trl PR 2209).
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.files import read_jsonl
from burnish.core.world import World
from tests.cli.run_cli import burnish
from tests.invariants.jobs import CPU, one_pair_update, wide_decoder
from tests.invariants.worlds import in_world
from tests.unit.objectives.test_dpo import PAIRS, naive

METHODS: dict[str, AdaptSettings] = {"LoRA": LoRASettings(r=4, alpha=8), "full": FullSettings()}


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("adapt", METHODS.values(), ids=METHODS)
def test_pairs_a_pass_and_ranks_leave_the_gradient_as_it_is(adapt: AdaptSettings, ranks: int) -> None:
    """Pair by pair, a few, all at once; against mean -log sigmoid(0.1 · margin) of rows computed one by one."""
    decoder, base = wide_decoder(adapt), wide_decoder(FullSettings())
    losses = []
    for one in PAIRS:
        gains = [naive(decoder, row) - naive(base, row).detach() for row in (one.pair.chosen, one.pair.rejected)]
        losses.append(-F.logsigmoid(0.1 * (gains[0] - gains[1])))
    parameters = methods.trainable(decoder)
    gradients = torch.autograd.grad(torch.stack(losses).mean(), list(parameters.values()))
    expected = dict(zip(parameters, gradients, strict=True))
    assert max(float(tensor.abs().max()) for tensor in expected.values()) > 1e-3
    sizes = (1, 250, 10_000)
    worlds = in_world(ranks, one_pair_update, adapt, sizes) if ranks > 1 else None
    for found in worlds or [one_pair_update(World(0, 1, CPU), adapt, sizes)]:
        for size, gradient in zip(sizes, found, strict=True):
            for name, tensor in expected.items():
                apart = (torch.from_numpy(gradient[name]) - tensor).abs().max()
                assert apart <= 1e-9 * max(1e-3, float(tensor.abs().max())), (size, name)


@pytest.mark.parametrize("adapt", ["lora", "full"])
def test_the_first_update_of_a_run_has_the_loss_ln_2(adapt: str, tiny_folder: Path, tmp_path: Path) -> None:
    """Through the command line: with the adapter switched off, and with log-probabilities kept from before training."""
    rows = tmp_path / "pairs.jsonl"
    pairs = [{"prompt": f"{n}: sky?", "chosen": "blue" * (1 + n % 3), "rejected": "green, no"} for n in range(40)]
    rows.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    result = burnish("train", "--model", tiny_folder, "--data", rows, "--out", tmp_path, "--name", "run", "--set",
                     "objective=dpo", "--set", f"adapt={adapt}", "--set", "model.dtype=float32", "--set",
                     "train.steps=3", "--set", "train.learning_rate=0.01")  # fmt: skip
    assert result.code == 0, result.err
    losses = [line["loss"] for line in read_jsonl(tmp_path / "run" / "metrics.jsonl")]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-6)
    assert abs(losses[-1] - math.log(2)) > 1e-3
