from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from burnish.adapt import methods
from burnish.adapt.osft import OSFTLinear, split_directions
from burnish.adapt.settings import OSFTSettings
from burnish.model.decoder import Decoder, Linear
from burnish.model.load import build_decoder
from burnish.objectives.sft import SFT
from burnish.train.optimiser import AdamW
from tests.tiny import make_model
from tests.unit.train.conftest import CPU, TOKENIZER, make_tiny


def frozen(out: int, into: int) -> Linear:
    linear = Linear(into, out, bias=False)
    generator = torch.Generator().manual_seed(out)
    linear.weight = nn.Parameter(torch.randn(out, into, generator=generator), requires_grad=False)
    return linear


@pytest.mark.parametrize(("out", "into"), [(24, 16), (16, 24), (16, 16)])
def test_the_kept_directions_stay_whatever_the_optimiser_does(out: int, into: int) -> None:
    base = frozen(out, into)
    layer = OSFTLinear(base, 0.75, torch.float32)
    optimiser = AdamW({"learnt": layer.learnt}, 0.1)
    x = torch.randn(32, into, generator=torch.Generator().manual_seed(1))
    wish = torch.randn(32, out, generator=torch.Generator().manual_seed(2))
    losses = []
    for _ in range(60):
        layer.learnt.grad = None
        loss = (layer(x) - wish).square().mean()
        loss.backward()
        losses.append(float(loss.detach()))
        optimiser.step(0.05)
    assert losses[-1] < losses[0] - 0.1
    update = layer.merged_weight(torch.float64) - base.weight.double()
    left, right, _ = split_directions(base.weight, 12)
    assert update.norm() > 1
    assert (left.T @ update).abs().max() < 1e-6
    assert (update @ right).abs().max() < 1e-6
    # Kept: the 12 largest singular values and their vectors are those of the new matrix too.
    kept = left.T @ base.weight.double() @ right
    torch.testing.assert_close(left.T @ (base.weight.double() + update) @ right, kept, rtol=0, atol=1e-6)


def test_the_directions_are_the_singular_vectors_with_a_sign_of_their_own() -> None:
    # diag(3, 2, 1): the vectors are the axes, and of each the sign is plus
    left, right, rest = split_directions(torch.diag(torch.tensor([3.0, 2.0, 1.0])), 2)
    torch.testing.assert_close(left.abs(), torch.eye(3, dtype=torch.float64)[:, :2])
    torch.testing.assert_close(right.abs(), torch.eye(3, dtype=torch.float64)[:, :2])
    torch.testing.assert_close(rest, torch.eye(3, dtype=torch.float64)[:, 2:])


def test_a_model_starts_as_its_base_learns_and_is_saved_whole(tmp_path: Path) -> None:
    settings = OSFTSettings(keep=0.5)
    tiny = make_tiny(tmp_path, adapt=settings, steps=24, rate=3e-3)
    base = make_tiny(tmp_path, "base").decoder
    first = tiny.rows.take([0])
    forest = SFT().passes(first, 64)[0]
    assert not methods.has_adapter(settings)
    torch.testing.assert_close(tiny.decoder.hidden(forest), base.hidden(forest), rtol=0, atol=0)
    progress = tiny.train()
    losses = [loss for _, loss in progress.history]
    assert losses[-1] < 0.7 * losses[0]
    merged = methods.merged_tensors(tiny.decoder)
    plain = make_tiny(tmp_path, "plain").decoder
    assert set(merged) == {
        name.replace(".base.", ".") for name in dict(plain.named_parameters()) if "lora_" not in name
    }
    again = rebuilt(merged)
    torch.testing.assert_close(again.hidden(forest), tiny.decoder.hidden(forest), rtol=0, atol=1e-4)


def rebuilt(tensors: dict[str, torch.Tensor]) -> Decoder:
    config = make_model(len(TOKENIZER)).config.to_dict()
    return build_decoder(config, tensors, dtype=torch.float32, device=CPU)
