"""1 and 2: how rows are laid out over forests, passes and processes never changes the gradient.

Guards against: losses averaged per micro-batch (transformers PR 34191, unsloth 1134), per rank, or per packed row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.world import World
from burnish.model.attention import reference_attention
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.render.renderer import Rendered
from burnish.train.order import rows_of_update
from tests.invariants.jobs import COUNT, CPU, Layout, one_update, rows_of_cell, uneven_rows, wide_decoder
from tests.invariants.worlds import in_world

LAYOUTS = [Layout(kind, forests) for kind in ("separate", "packed", "shared") for forests in (1, 3, 8)]
METHODS: dict[str, AdaptSettings] = {"LoRA": LoRASettings(r=4, alpha=8), "full": FullSettings()}


def plain_loss(decoder: Decoder, rows: Sequence[Rendered]) -> Tensor:
    """The definition, without forests of several rows, chunks, or anything else that Burnish does to be quick:
    Σ over rows and learnt tokens of -log softmax(logits)[token], over the number of learnt tokens."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for row in rows:
        forest = plant([Segment(row.ids, [0.0] * len(row.ids))])
        hidden = decoder(forest.tokens_T, forest.position_T, reference_attention(forest))
        logprobs_T_V = (hidden @ decoder.head_weight.T).log_softmax(-1)
        for at in range(1, len(row.ids)):
            if row.weights[at]:
                total, count = total - logprobs_T_V[at - 1, row.ids[at]], count + 1
    return total / count


def plain_gradient(adapt: AdaptSettings, count: int) -> tuple[dict[str, Tensor], float]:
    """Gradient and loss of the first update of `count` rows."""
    rows, decoder = uneven_rows(), wide_decoder(adapt)
    numbers = rows_of_update(0, seed=0, rows=COUNT, rows_per_update=count)
    loss = plain_loss(decoder, [rows.rendered[number] for number in numbers])
    parameters = methods.trainable(decoder)
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    return dict(zip(parameters, gradients, strict=True)), loss.item()


DROPPING = LoRASettings(r=4, alpha=8, dropout=0.3)


@pytest.mark.parametrize(
    ("adapt", "ranks"),
    [*product(METHODS.values(), [1, 2, 3]), (DROPPING, 1)],
    ids=[*(f"{name}-{ranks}" for name, ranks in product(METHODS, [1, 2, 3])), "dropout"],
)
def test_packing_sharing_passes_and_ranks_leave_the_gradient_as_it_is(adapt: AdaptSettings, ranks: int) -> None:
    """{separate rows, packed, shared beginnings} × {1, 3, 8 passes} × {1, 2, 3 processes}, to 1e-9 in float64."""
    world = World(0, ranks, CPU)
    cells = in_world(ranks, one_update, adapt, LAYOUTS) if ranks > 1 else [one_update(world, adapt, LAYOUTS)]
    for number, layout in enumerate(LAYOUTS):
        expected, loss = plain_gradient(adapt, rows_of_cell(world, layout))
        assert max(float(tensor.abs().max()) for tensor in expected.values()) > 1e-2
        for rank, found in enumerate(cells):
            gradient, noted = found[number]
            assert noted == pytest.approx(loss, rel=1e-12), (layout, rank)
            for name, tensor in expected.items():
                apart = (torch.from_numpy(gradient[name]) - tensor).abs().max()
                assert apart <= 1e-9 * tensor.abs().max(), (layout, rank, name)
