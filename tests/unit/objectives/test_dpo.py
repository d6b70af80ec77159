from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.core.records import Message, Pair
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest, Segment, plant
from burnish.model.load import build_decoder
from burnish.objectives.dpo import DPO, NumberedPair, cached, pair_logprobs, strand_logprobs, switched
from burnish.objectives.packing import pack
from burnish.render.renderer import Rendered, RenderedPair, make_renderer
from tests.tiny import make_model, make_tokenizer

CPU = torch.device("cpu")
RENDERER = make_renderer(make_tokenizer())
LONG = "which parcel of mine is late? " * 12  # a prompt of more than 32 tokens is shared
TEXTS = [
    ("what colour is the sky?", "the sky is blue", "green"),
    (LONG, "refund the order", "the grass is green and the sky is blue"),
    ("one", "two", "the line of the grass 🦊"),
    (LONG, "the third", "no"),
    (LONG + "really?", "yes, the third", "yes, the order"),
]


def rendered(prompt: str, chosen: str, rejected: str) -> RenderedPair:
    return RENDERER.pair(Pair("", (Message("user", prompt),), chosen, rejected))


PAIRS = [NumberedPair(number, rendered(*texts)) for number, texts in enumerate(TEXTS)]
ROWS = list(enumerate(PAIRS))


def tiny(
    adapt: LoRASettings | FullSettings | None = None, *, seed: int = 0, dtype: torch.dtype = torch.float32
) -> Decoder:
    model = make_model(320, seed=seed)
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=dtype, device=CPU)
    methods.apply(decoder, adapt or FullSettings())
    return decoder


def moved(dtype: torch.dtype = torch.float32) -> Decoder:
    """A decoder whose adapter has gone some way."""
    decoder = tiny(LoRASettings(r=4, alpha=8), dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    for parameter in methods.trainable(decoder).values():
        parameter.data = parameter.data.to(dtype) + 0.05 * torch.randn(parameter.shape, generator=generator).to(dtype)
    return decoder


def numbers(logprobs: list[float]) -> DPO:
    """A reference of these log-probabilities, whatever the forest."""
    return DPO(lambda model, forest: torch.tensor(logprobs, dtype=torch.float64))


def naive(model: Decoder, row: Rendered) -> Tensor:
    """log p of the answer of one row alone, token by token."""
    forest = plant([Segment(row.ids, [0.0] * len(row.ids))])
    logits = model.hidden(forest) @ model.head_weight.T.to(model.compute)
    at = [place for place, weight in enumerate(row.weights) if weight]
    return torch.stack([F.log_softmax(logits[place - 1], dim=-1)[row.ids[place]] for place in at]).sum()


SWITCHED = switched(methods.switched_off)


def test_at_the_start_every_margin_is_zero_and_every_loss_ln_2() -> None:
    model = tiny(LoRASettings(r=4, alpha=8))
    objective = DPO(SWITCHED)
    (forest,) = objective.passes(ROWS, 10_000)
    assert objective.margins(model, forest).tolist() == [0.0] * 5
    assert objective.terms(model, forest)["pair"].item() / 5 == pytest.approx(math.log(2), abs=1e-6)
    assert objective.counts([forest])["pair"] == 5.0


def test_the_reference_is_the_base_and_leaves_the_adapter_on() -> None:
    model, base = moved(), tiny()
    (forest,) = DPO(SWITCHED).passes(ROWS, 10_000)
    trained = strand_logprobs(model, forest)
    reference = SWITCHED(model, forest)
    assert torch.equal(reference, strand_logprobs(base, forest))
    assert not reference.requires_grad
    assert torch.equal(strand_logprobs(model, forest), trained)
    assert (trained - reference).abs().min() > 1e-2


def test_a_strands_log_probability_is_that_of_a_plain_loop() -> None:
    model = tiny(dtype=torch.float64)
    strands = [row for pair in PAIRS for row in (pair.pair.chosen, pair.pair.rejected)]
    for (chosen, rejected), one, other in zip(
        pair_logprobs(model, [pair.pair for pair in PAIRS], 200), strands[0::2], strands[1::2], strict=True
    ):
        assert chosen == pytest.approx(naive(model, one).item(), abs=1e-9)
        assert rejected == pytest.approx(naive(model, other).item(), abs=1e-9)


def test_only_the_last_answer_counts() -> None:
    turns = (Message("user", "sky?"), Message("assistant", "blue"), Message("user", "grass?"))
    pair = RENDERER.pair(Pair("", turns, "green", "red"))
    for row, answer in ((pair.chosen, "green"), (pair.rejected, "red")):
        learnt = [token for token, weight in zip(row.ids, row.weights, strict=True) if weight]
        assert RENDERER.decode(learnt[:-1]) == answer
        assert learnt[-1] in RENDERER.stop_ids


def test_the_margin_and_the_loss_by_hand() -> None:
    class Said:
        def hidden(self, forest: Forest) -> Tensor:
            return torch.tensor([-12.5, -14.25, -31.0, -20.0], dtype=torch.float64)

        def logprobs(self, hidden: Tensor, forest: Forest) -> Tensor:
            return hidden

    one = rendered("q", "a", "b")
    last = RenderedPair(*(Rendered(row.ids, [0.0] * (len(row.ids) - 1) + [1.0], row.message_T)
                          for row in (one.chosen, one.rejected)))  # fmt: skip
    rows = [(number, NumberedPair(number, last)) for number in range(2)]
    objective = numbers([-13.0, -13.0, -30.5, -28.25])
    (forest,) = objective.passes(rows, 10_000)
    # 0.1 · ((-12.5 + 13) - (-14.25 + 13)) = 0.1 · 1.75, and 0.1 · ((-31 + 30.5) - (-20 + 28.25)) = 0.1 · -8.75
    assert objective.margins(Said(), forest).tolist() == pytest.approx([0.175, -0.875])  # type: ignore[arg-type]
    loss = math.log(1 + math.exp(-0.175)) + math.log(1 + math.exp(0.875))
    assert objective.terms(Said(), forest)["pair"].item() == pytest.approx(loss, rel=1e-12)  # type: ignore[arg-type]
    # with a fifth of the labels in doubt: 4/5 of that and 1/5 of the same pairs the other way round
    other = math.log(1 + math.exp(0.175)) + math.log(1 + math.exp(-0.875))
    smooth = DPO(objective.reference, label_smoothing=0.2)
    assert smooth.terms(Said(), forest)["pair"].item() == pytest.approx(0.8 * loss + 0.2 * other)  # type: ignore[arg-type]


def test_swapping_the_answers_turns_the_sign_of_the_margin() -> None:
    model = moved(torch.float64)
    objective = DPO(SWITCHED)
    swapped = [(n, NumberedPair(n, RenderedPair(one.pair.rejected, one.pair.chosen))) for n, one in ROWS]
    (forest,), (other,) = objective.passes(ROWS, 10_000), objective.passes(swapped, 10_000)
    margins = objective.margins(model, forest)
    assert margins.abs().min() > 1e-3
    assert (margins + objective.margins(model, other)).abs().max() < 1e-9


def test_a_shared_prompt_gives_the_loss_and_gradient_of_separate_rows() -> None:
    """float64: one forest in which prompts stand once, against every row alone by the plain loop."""

    def gradients(loss: Tensor, model: Decoder) -> dict[str, Tensor]:
        loss.backward()
        return {name: p.grad for name, p in methods.trainable(model).items() if p.grad is not None}

    model, alone = moved(torch.float64), moved(torch.float64)
    objective = DPO(SWITCHED)
    (forest,) = objective.passes(ROWS, 10_000)
    assert forest.tokens < forest.row_tokens - 3 * 100  # of eight rows with the long prompt most of it stands once
    loss = objective.terms(model, forest)["pair"]
    base = tiny(dtype=torch.float64)
    losses = []
    for _, one in ROWS:
        chosen, rejected = one.pair.chosen, one.pair.rejected
        gains = [naive(alone, row) - naive(base, row).detach() for row in (chosen, rejected)]
        losses.append(-F.logsigmoid(0.1 * (gains[0] - gains[1])))
    expected = torch.stack(losses).sum()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-9)
    got, wanted = gradients(loss, model), gradients(expected, alone)
    assert got.keys() == wanted.keys()
    assert max(float(gradient.abs().max()) for gradient in wanted.values()) > 1e-2
    for name, gradient in wanted.items():
        assert (got[name] - gradient).abs().max() < 1e-9, name


@pytest.mark.parametrize("tokens_per_pass", [1, 150, 250, 10_000])
def test_packing_changes_neither_the_sum_nor_the_count(tokens_per_pass: int) -> None:
    model, objective = moved(torch.float64), DPO(SWITCHED)
    passes = objective.passes(ROWS, tokens_per_pass)
    (whole,) = objective.passes(ROWS, 10_000)
    assert tokens_per_pass == 10_000 or len(passes) > 1
    total = sum(objective.terms(model, forest)["pair"].item() for forest in passes)
    assert total == pytest.approx(objective.terms(model, whole)["pair"].item(), abs=1e-9)
    assert objective.counts(passes)["pair"] == 5.0


def test_nothing_of_an_answer_is_ever_cut() -> None:
    learnt = sum(row.trained for one in PAIRS for row in (one.pair.chosen, one.pair.rejected))
    for tokens_per_pass in (1, 100, 10_000):
        passes = DPO(SWITCHED).passes(ROWS, tokens_per_pass)
        assert sum(len(forest.target_id_N) for forest in passes) == learnt


def test_the_same_pair_twice_in_an_update_counts_twice() -> None:
    model, objective = moved(torch.float64), DPO(SWITCHED)
    (once,), (twice,) = objective.passes(ROWS[1:2], 10_000), objective.passes([ROWS[1], ROWS[1]], 10_000)
    assert objective.counts([twice])["pair"] == 2.0
    expected = 2 * objective.terms(model, once)["pair"].item()
    assert objective.terms(model, twice)["pair"].item() == pytest.approx(expected, abs=1e-9)


def test_a_cached_reference_is_found_by_the_pairs_number_in_any_forest() -> None:
    model, base = moved(torch.float64), tiny(dtype=torch.float64)
    stored = cached(pair_logprobs(base, [one.pair for one in PAIRS], 150))
    by_switch, by_cache = DPO(SWITCHED), DPO(stored)
    some = [(0, PAIRS[3]), (1, PAIRS[0]), (2, PAIRS[4])]
    for rows, tokens_per_pass in ((ROWS, 10_000), (some, 150)):
        for forest in by_switch.passes(rows, tokens_per_pass):
            assert (by_switch.margins(model, forest) - by_cache.margins(model, forest)).abs().max() < 1e-9


def test_a_base_of_its_own_may_be_the_reference_too() -> None:
    base = tiny(seed=3)

    def base_of(model: Decoder) -> AbstractContextManager[Decoder]:
        return nullcontext(base)

    (forest,) = DPO(SWITCHED).passes(ROWS, 10_000)
    assert torch.equal(switched(base_of)(tiny(), forest), strand_logprobs(base, forest).detach())


def test_both_answers_of_a_pair_stand_in_one_forest() -> None:
    for forest in DPO(SWITCHED).passes(ROWS, 1):
        assert forest.target_row_N.unique().tolist() in [[2 * n, 2 * n + 1] for n in range(5)]
    assert not pack([], 100)
