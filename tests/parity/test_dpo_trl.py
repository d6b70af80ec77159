"""The preference loss against trl's: live where trl is installed, and against figures that trl gave once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from burnish.core.records import Message, Pair
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.model.load import build_decoder
from burnish.objectives.dpo import DPO, NumberedPair, strand_logprobs
from burnish.render.renderer import RenderedPair, make_renderer
from tests.tiny import make_model, make_tokenizer

# What DPOTrainer.compute_loss of trl 1.16.0 gave (torch 2.13, float32, beta 0.1): on the batch of `padded` with the
# tiny models of seeds 0 (policy) and 1 (reference); and on the log-probabilities below in place of the models' outputs.
# The live tests do both again wherever trl is installed.
TRL_MODEL_LOSS = 0.9020511507987976
TRL_LOSS = 0.6239669919013977

BETA = 0.1
# (chosen, rejected) of three pairs, in nats
POLICY = [(-12.5, -14.25), (-31.0, -20.0), (-3.0, -90.5)]
REFERENCE = [(-13.0, -13.0), (-30.5, -28.25), (-4.75, -60.0)]

TOKENIZER = make_tokenizer()
PAIRS = [
    ("what colour is the sky?", "the sky is blue", "green"),
    ("which parcel of mine is late? " * 6, "refund the order", "the grass is green and the sky is blue"),
    ("one", "two", "the line of the grass"),
]


def rendered() -> list[RenderedPair]:
    renderer = make_renderer(TOKENIZER)
    return [renderer.pair(Pair(prompt, (Message("user", prompt),), a, b)) for prompt, a, b in PAIRS]


def decoder_of(model: LlamaForCausalLM) -> Decoder:
    return build_decoder(
        model.config.to_dict(), dict(model.state_dict()), dtype=model.dtype, device=torch.device("cpu")
    )


def ours(policy: LlamaForCausalLM, reference: LlamaForCausalLM) -> tuple[float, dict[str, Tensor]]:
    """The mean loss of all pairs, and its gradient by name."""
    decoder, base = decoder_of(policy).requires_grad_(True), decoder_of(reference)

    @torch.no_grad()
    def asked(model: Decoder, forest: Forest) -> Tensor:
        return strand_logprobs(base, forest)

    objective = DPO(asked, BETA)
    (forest,) = objective.passes(list(enumerate(map(NumberedPair, range(3), rendered()))), 10_000)
    loss = objective.terms(decoder, forest)["pair"] / objective.counts([forest])["pair"]
    loss.backward()
    return loss.item(), {name: p.grad for name, p in decoder.named_parameters() if p.grad is not None}


def padded() -> dict[str, Tensor]:
    """The batch as trl's collator lays it out: all chosen, then all rejected, padded on the right."""
    pairs = rendered()
    rows = [*(pair.chosen for pair in pairs), *(pair.rejected for pair in pairs)]
    longest = max(len(row.ids) for row in rows)

    def pad(values: list[int]) -> list[int]:
        return values + [0] * (longest - len(values))

    return {
        "input_ids": torch.tensor([pad(row.ids) for row in rows]),
        "attention_mask": torch.tensor([pad([1] * len(row.ids)) for row in rows]),
        "completion_mask": torch.tensor([pad([int(weight) for weight in row.weights]) for row in rows]),
    }


def trainer(folder: Path, policy: LlamaForCausalLM, reference: LlamaForCausalLM) -> Any:
    trl, datasets = pytest.importorskip("trl"), pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"prompt": p, "chosen": a, "rejected": b} for p, a, b in PAIRS])
    config = trl.DPOConfig(output_dir=str(folder), beta=BETA, use_cpu=True, bf16=False, report_to=[])
    return trl.DPOTrainer(
        model=policy, ref_model=reference, args=config, train_dataset=rows, processing_class=TOKENIZER
    )


def test_loss_and_gradients_are_trls_on_a_batch_of_a_model(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    loss, gradients = ours(make_model(len(TOKENIZER)), make_model(len(TOKENIZER), seed=1))
    policy = make_model(len(TOKENIZER))
    theirs = trainer(tmp_path, policy, make_model(len(TOKENIZER), seed=1))
    found = theirs.compute_loss(theirs.model, padded())
    found.backward()
    assert loss == pytest.approx(found.item(), abs=1e-6)
    for name, parameter in policy.named_parameters():
        if name != "lm_head.weight":
            assert parameter.grad is not None
            assert (gradients[name] - parameter.grad).abs().max() < 1e-6, name


def test_the_loss_is_trls_on_the_same_log_probabilities(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    theirs = trainer(tmp_path, make_model(len(TOKENIZER)), make_model(len(TOKENIZER), seed=1))
    batch = {"input_ids": torch.ones(6, 2, dtype=torch.long), "attention_mask": torch.ones(6, 2, dtype=torch.long),
             "completion_mask": torch.tensor([[0, 1]] * 6)}  # fmt: skip
    theirs.ref_model = said(REFERENCE)
    found = theirs.compute_loss(said(POLICY), batch)
    assert of_logprobs() == pytest.approx(found.item(), abs=1e-6)


def said(logprobs: list[tuple[float, float]]) -> Any:
    """A model that says these log-probabilities, one a row: all chosen, then all rejected."""
    column = torch.tensor([pair[side] for side in (0, 1) for pair in logprobs])[:, None]
    zeros = torch.zeros_like(column)
    return lambda **_: SimpleNamespace(log_probs=column, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())


class Said(nn.Module):
    """A decoder that says one log-probability a strand, in their order."""

    def hidden(self, forest: Forest) -> Tensor:
        return torch.tensor(POLICY, dtype=torch.float64).flatten()

    def logprobs(self, hidden: Tensor, forest: Forest) -> Tensor:
        return hidden


def of_logprobs() -> float:
    one = make_renderer(TOKENIZER).pair(Pair("", (Message("user", "q"),), "a", "b"))
    # a single token of each answer has weight, so that a strand has one log-probability
    alone = RenderedPair(*(type(row)(row.ids, [0.0] * (len(row.ids) - 1) + [1.0], row.message_T)
                           for row in (one.chosen, one.rejected)))  # fmt: skip
    objective = DPO(lambda model, forest: torch.tensor(REFERENCE, dtype=torch.float64).flatten(), BETA)
    (forest,) = objective.passes([(n, NumberedPair(n, alone)) for n in range(3)], 10_000)
    return objective.terms(Said(), forest)["pair"].item() / objective.counts([forest])["pair"]  # type: ignore[arg-type]


def test_the_loss_is_the_figure_that_trl_gave() -> None:
    assert of_logprobs() == pytest.approx(TRL_LOSS, abs=1e-6)


def test_the_loss_of_a_models_batch_is_the_figure_that_trl_gave() -> None:
    loss, _ = ours(make_model(len(TOKENIZER)), make_model(len(TOKENIZER), seed=1))
    assert loss == pytest.approx(TRL_MODEL_LOSS, abs=1e-6)
