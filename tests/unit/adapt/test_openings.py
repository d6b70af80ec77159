"""Prompt and prefix tuning: training and generation read what stands before everything, and as peft reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.further_settings import PrefixSettings, PromptSettings
from burnish.adapt.settings import AdaptSettings
from burnish.core.errors import RecipeError
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.generate.score import Choices, hidden_states, score_choices, text_loss
from burnish.model.attention import reference_attention
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from tests.parity.test_lora_peft import FOREST, IDS, adapted, base_model, decoder_of

OPENINGS: dict[str, AdaptSettings] = {"prompt": PromptSettings(tokens=5), "prefix": PrefixSettings(tokens=5)}
both = pytest.mark.parametrize("settings", OPENINGS.values(), ids=OPENINGS)


def logits_of(decoder: Decoder) -> Tensor:
    return decoder.logits(decoder.hidden(FOREST)).detach()


@both
@pytest.mark.parametrize("base", ["tied", "untied", "with biases"])
def test_plain_peft_reads_the_file_and_computes_the_same(settings: AdaptSettings, base: str, tmp_path: Path) -> None:
    decoder = adapted(base_model(base), settings)
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    theirs = PeftModel.from_pretrained(base_model(base), str(tmp_path)).eval()
    ids = torch.tensor([IDS])
    with torch.no_grad():
        wanted = theirs(input_ids=ids).logits[0, -len(IDS) :]
        said = theirs.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    assert (logits_of(decoder) - wanted).abs().max() < 1e-5
    (made,) = generate(decoder, [Request(tuple(IDS), 6)], stop_ids=[])
    assert list(made.tokens) == said[0, len(IDS) :].tolist()


@both
def test_it_is_saved_and_loaded_and_off_it_is_the_base_to_the_last_bit(settings: AdaptSettings, tmp_path: Path) -> None:
    decoder, plain = adapted(base_model("tied"), settings), logits_of(decoder_of(base_model("tied")))
    methods.save_adapter(decoder, settings, tmp_path, base="base")
    fresh = decoder_of(base_model("tied"))
    methods.load_adapter(fresh, settings, tmp_path)
    assert torch.equal(logits_of(fresh), logits_of(decoder))
    assert not torch.allclose(logits_of(fresh), plain, atol=1e-2)
    with methods.switched_off(fresh) as base:
        assert torch.equal(logits_of(base), plain)
        assert generate(base, [Request(tuple(IDS), 3)], stop_ids=[]) == generate(
            decoder_of(base_model("tied")), [Request(tuple(IDS), 3)], stop_ids=[]
        )


@both
def test_packed_rows_and_every_way_to_score_say_what_a_row_alone_says(settings: AdaptSettings) -> None:
    decoder = adapted(base_model("untied"), settings)
    rows = [IDS, IDS[:6], IDS[3:14]]
    with torch.no_grad():
        alone = []
        for row in rows:
            forest = plant([Segment(row, [1.0] * len(row))])
            alone.append(float(decoder.logprobs(decoder.hidden(forest), forest).sum()))
        packed = plant([Segment(row, [1.0] * len(row), row=number) for number, row in enumerate(rows)])
        logprob_N = decoder.logprobs(decoder.hidden(packed), packed)
    together = [float(logprob_N[packed.target_row_N == number].sum()) for number in range(3)]
    assert together == pytest.approx(alone, abs=1e-4)
    assert [-loss for loss, _ in text_loss(decoder, rows)] == pytest.approx(alone, abs=1e-4)
    choices = [Choices((row[0],), (tuple(row[1:]),)) for row in rows]
    assert [one for (one,) in score_choices(decoder, choices)] == pytest.approx(alone, abs=1e-4)
    with torch.no_grad():
        assert torch.allclose(hidden_states(decoder, [IDS])[0], decoder.hidden(FOREST), atol=1e-5)


@both
def test_the_gradient_is_that_of_the_dense_definition(settings: AdaptSettings) -> None:
    found = []
    for dense in (False, True):
        decoder = adapted(base_model("tied"), settings)
        (parameter,) = methods.trainable(decoder).values()
        if dense:
            whole = FOREST.under(decoder.opening_ids)
            hidden = decoder(whole.tokens_T, whole.position_T, reference_attention(whole))[5:]
        else:
            hidden = decoder.hidden(FOREST)
        decoder.logprobs(hidden, FOREST).sum().backward()
        found.append(parameter.grad)
    assert float(found[0].abs().max()) > 1e-2
    assert torch.allclose(found[0], found[1], atol=1e-4)


def test_a_prefix_begins_as_the_tokens_it_was_drawn_from() -> None:
    """Keys and values of five tokens before a text are those that the same tokens give when they are read."""
    decoder = decoder_of(base_model("tied"))
    methods.apply(decoder, PrefixSettings(tokens=5), seed=3)
    plain = decoder_of(base_model("tied"))
    methods.apply(plain, PromptSettings(tokens=5), seed=3)  # the same draw
    assert torch.allclose(logits_of(decoder), logits_of(plain), atol=1e-5)


@both
def test_what_cannot_be_is_refused(settings: AdaptSettings) -> None:
    decoder = adapted(base_model("tied"), settings)
    with pytest.raises(RecipeError, match="can't be merged"):
        methods.merged_tensors(decoder)
    with pytest.raises(RecipeError, match="context"):
        methods.apply(decoder_of(base_model("tied")), type(settings)(tokens=33))
