"""3, 14 and 18: a row is computed as if it were alone, and its loss is the one worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from burnish.adapt.settings import FullSettings
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.attention import Attend, forest_attention, reference_attention, segment_attention
from burnish.model.decoder import Decoder
from burnish.model.flex_attention import flex_attention
from burnish.model.forest import Forest, Segment, plant
from burnish.model.load import build_decoder
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered
from tests.invariants.jobs import CPU, TOKENIZER, uneven_rows, wide_decoder
from tests.tiny import make_model

LN2 = math.log(2)
LENGTHS = (7, 33, 1, 64, 2, 120)


def flexible(forest: Forest) -> Attend:
    return flex_attention(forest, compiled=False)


ATTENTIONS: dict[str, Callable[[Forest], Attend]] = {
    "as training chooses": forest_attention,
    "by segment": segment_attention,
    "flexible": flexible,
    "reference": reference_attention,
}


def tokens_of(row: int, length: int) -> list[int]:
    return [3 + (row * 31 + at * 7) % 300 for at in range(length)]


def rows_forest(changed: int | None = None, at: int = 0) -> Forest:
    """Packed rows of all lengths; one token of row `changed` is another one."""
    rows = [tokens_of(row, length) for row, length in enumerate(LENGTHS)]
    if changed is not None:
        rows[changed][at] = 302 if rows[changed][at] != 302 else 301
    return plant([Segment(tokens, [1.0] * len(tokens), row=row) for row, tokens in enumerate(rows)])


def float32_decoder() -> Decoder:
    model = make_model(len(TOKENIZER))
    return build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=torch.float32, device=CPU)


@pytest.mark.parametrize("attention", ATTENTIONS.values(), ids=ATTENTIONS)
@torch.no_grad()
def test_a_token_changes_no_logit_of_another_packed_row_by_one_bit(attention: Callable[[Forest], Attend]) -> None:
    """Guards against attention across packed rows (trl 1230, nanoVLM 204): first, middle and last token of each row."""
    decoder, forest = float32_decoder(), rows_forest()
    before = decoder.logits(decoder(forest.tokens_T, forest.position_T, attention(forest)))
    for row, length in enumerate(LENGTHS):
        for at in sorted({0, length // 2, length - 1}):
            other = rows_forest(row, at)
            after = decoder.logits(decoder(other.tokens_T, other.position_T, attention(other)))
            elsewhere = other.segment_T != row
            assert torch.equal(after[elsewhere], before[elsewhere]), (row, at)
            assert not torch.equal(after[~elsewhere], before[~elsewhere])


@torch.no_grad()
def test_the_loss_of_packed_rows_is_the_sum_of_their_losses() -> None:
    """In float64 to 1e-9, with beginnings shared or not; Σ apart was 44.1 and packed 37.6 in functionary 265."""
    decoder, sft, rows = wide_decoder(FullSettings()), SFT(), uneven_rows()
    numbered = rows.take(range(len(rows.rendered)))

    def total(tokens_per_pass: int) -> float:
        return sum(float(sft.terms(decoder, forest)["answer"]) for forest in sft.passes(numbered, tokens_per_pass))

    apart = total(1)
    assert len(sft.passes(numbered, 100_000)) == 1
    for tokens_per_pass in (100, 300, 100_000):
        assert total(tokens_per_pass) == pytest.approx(apart, rel=1e-12)


def test_no_row_is_asked_for_the_first_token_of_the_next_and_positions_start_anew() -> None:
    forest = rows_forest()
    assert forest.position_T.tolist() == [at for length in LENGTHS for at in range(length)]
    own = forest.segment_T[forest.target_at_N]
    assert own.tolist() == forest.target_row_N.tolist()
    assert forest.segment_T[forest.target_at_N + 1].tolist() == own.tolist()
    assert forest.tokens_T[forest.target_at_N + 1].tolist() == forest.target_id_N.tolist()
    assert len(forest.target_at_N) == sum(length - 1 for length in LENGTHS)


@pytest.mark.parametrize("order", [LENGTHS, LENGTHS[::-1]], ids=["as given", "backwards"])
@torch.no_grad()
def test_rows_of_mixed_lengths_give_the_logits_of_each_alone(order: tuple[int, ...]) -> None:
    """Guards against padding that is read, on either side (transformers 25790, trl 6800): to 1e-5 in float32."""
    decoder = float32_decoder()
    rows = [tokens_of(row, length) for row, length in enumerate(order)]
    together = plant([Segment(tokens, [1.0] * len(tokens)) for tokens in rows])
    logits = torch.split(decoder.logits(decoder.hidden(together)), list(order))
    for tokens, ours in zip(rows, logits, strict=True):
        alone = plant([Segment(tokens, [1.0] * len(tokens))])
        expected = decoder.logits(decoder.hidden(alone))
        assert (ours - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_prompts_of_mixed_lengths_are_answered_as_each_alone() -> None:
    decoder = float32_decoder()
    requests = [Request(tuple(tokens_of(row, length)), 12) for row, length in enumerate(LENGTHS)]
    alone = [generate(decoder, [request], stop_ids=()) for request in requests]
    for slots in (2, 6):
        together = generate(decoder, requests, stop_ids=(), slots=slots)
        for one, (other,) in zip(together, alone, strict=True):
            assert one.tokens == other.tokens
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def bigram_decoder() -> Decoder:
    """A decoder of four tokens that knows the last token alone. Its layer adds nothing, the embedding of token i is
    the unit vector i, whose norm makes it 2 (its root mean square is 1/2), so that a head of ½ ln p gives ln p."""
    config = {"model_type": "llama", "vocab_size": 4, "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1,
              "num_attention_heads": 1, "max_position_embeddings": 16, "rms_norm_eps": 1e-30}  # fmt: skip
    table_V_V = torch.tensor([[4, 2, 1, 1], [1, 1, 4, 2], [2, 2, 2, 2], [1, 4, 1, 2]], dtype=torch.float64) / 8
    layer = {f"self_attn.{name}_proj": torch.zeros(4, 4) for name in "qkvo"}
    layer |= {f"mlp.{name}_proj": torch.zeros(4, 4) for name in ("gate", "up", "down")}
    layer |= {"input_layernorm": torch.ones(4), "post_attention_layernorm": torch.ones(4)}
    tensors = {f"model.layers.0.{name}.weight": tensor for name, tensor in layer.items()}
    tensors |= {"model.embed_tokens.weight": torch.eye(4), "model.norm.weight": torch.ones(4)}
    tensors["lm_head.weight"] = table_V_V.log().T / 2
    return build_decoder(config, tensors, dtype=torch.float64, device=CPU)


@pytest.mark.parametrize("tokens_per_pass", [1, 100])
def test_a_toy_model_with_known_probabilities_has_the_loss_worked_out_by_hand(tokens_per_pass: int) -> None:
    """Guards against targets shifted twice or not at all (transformers PR 31629).

    Row one, 0 1 | 2 3: -ln p(2|1) - ln p(3|2) = ln 2 + ln 4 = 3 ln 2. Row two, 3 | 1: -ln p(1|3) = ln 2.
    Row three, 0 | 3 0: -ln p(3|0) - ln p(0|3) = ln 8 + ln 8 = 6 ln 2. In all 10 ln 2 over 5 tokens.
    Row one shifted twice would be -ln p(2|0) - ln p(3|1) = 5 ln 2; not shifted, -ln p(2|2) - ln p(3|3) = 4 ln 2.
    """
    rows = [Rendered([0, 1, 2, 3], [0.0, 0.0, 1.0, 1.0], [0] * 4), Rendered([3, 1], [0.0, 1.0], [0] * 2),
            Rendered([0, 3, 0], [0.0, 1.0, 1.0], [0] * 3)]  # fmt: skip
    decoder, sft = bigram_decoder(), SFT()
    passes = sft.passes(list(enumerate(rows)), tokens_per_pass)
    total = sum(float(sft.terms(decoder, forest)["answer"]) for forest in passes)
    assert total == pytest.approx(10 * LN2, abs=1e-7)
    assert sft.counts(passes) == {"answer": 5.0, "answer/accuracy": 5.0}
    (alone,) = sft.passes([(0, rows[0])], 100)
    assert float(sft.terms(decoder, alone)["answer"]) == pytest.approx(3 * LN2, abs=1e-7)
