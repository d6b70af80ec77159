"""The draws of dropout: a hash that looks like chance, and only where something is learnt."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.dropout import Draws, Dropout
from burnish.adapt.settings import LoRASettings
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from tests.tiny import make_model

TOKENS, WIDTH = 400, 300


def decoder_of() -> Decoder:
    model = make_model(97)
    return build_decoder(
        model.config.to_dict(), dict(model.state_dict()), dtype=torch.float32, device=torch.device("cpu")
    )


def factors(*, seed: int = 0, step: int = 0, number: int = 0, share: float = 0.25) -> Tensor:
    """(T, D) for the tokens 0, 0, 0, … at the positions 0, 1, 2, …"""
    decoder, draws = decoder_of(), Draws(seed)
    decoder.step = step
    draws.note(decoder, (torch.zeros(TOKENS, dtype=torch.long), torch.arange(TOKENS), None))
    return Dropout(draws, number, share).of_pass(torch.zeros(TOKENS, WIDTH))()


def test_the_share_is_left_out_and_the_mean_stays() -> None:
    # 120,000 draws of 0 (p = 1/4) or 4/3: the share's standard error is √(3/16 / 120,000) = 0.00125, four of it 0.005
    made = factors()
    assert set(made.unique().tolist()) == {0.0, torch.tensor(4 / 3).item()}
    assert abs((made == 0).float().mean().item() - 0.25) < 0.005
    # by row 300 draws: standard error 0.025; by column 400: 0.0217; five of them for 700 numbers at once
    assert ((made == 0).float().mean(1) - 0.25).abs().max() < 0.125
    assert ((made == 0).float().mean(0) - 0.25).abs().max() < 0.11


def test_rows_columns_updates_matrices_and_seeds_are_drawn_apart() -> None:
    """The correlation of n independent pairs has a standard error of 1/√n: 0.0029 for 120,000, 0.058 for 300."""
    plain = factors()
    for other in (factors(seed=1), factors(step=1), factors(number=1)):
        assert abs(correlation(plain.flatten(), other.flatten())) < 0.012
    assert abs(correlation(plain[1:].flatten(), plain[:-1].flatten())) < 0.012
    assert abs(correlation(plain[:, 1:].flatten(), plain[:, :-1].flatten())) < 0.012
    by_row = torch.corrcoef(plain[:100])
    assert (by_row - torch.eye(100)).abs().max() < 0.058 * 5


def correlation(first: Tensor, second: Tensor) -> float:
    return torch.corrcoef(torch.stack([first, second]))[0, 1].item()


def test_the_same_is_drawn_again_and_only_with_gradients() -> None:
    decoder = decoder_of()
    methods.apply(decoder, LoRASettings(r=4, alpha=8, dropout=0.5), seed=3)
    for parameter in methods.trainable(decoder).values():
        parameter.data += 0.1
    ids = list(range(40))
    forest = plant([Segment(ids, [1.0] * 40)])
    first, twin = decoder.hidden(forest), copy.deepcopy(decoder)
    with torch.no_grad():
        whole = decoder.hidden(forest)
    assert torch.equal(decoder.hidden(forest), first)
    assert torch.equal(twin.hidden(forest), first)
    assert (whole - first).abs().max() > 1e-3
    decoder.step = 1
    assert not torch.equal(decoder.hidden(forest), first)
    assert torch.equal(twin.hidden(forest), first)  # a copy draws for itself


def test_layers_that_are_computed_again_draw_the_same() -> None:
    forest = plant([Segment(list(range(30)), [1.0] * 30)])
    gradients = []
    for recompute in (False, True):
        decoder = decoder_of()
        methods.apply(decoder, LoRASettings(r=4, alpha=8, dropout=0.5), seed=3)
        decoder.recompute = recompute
        torch.autograd.backward(-decoder.logprobs(decoder.hidden(forest), forest).sum())
        gradients.append([parameter.grad for parameter in methods.trainable(decoder).values()])
    assert all(map(torch.equal, *gradients))
