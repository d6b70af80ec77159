"""How far the specialist has moved, on the base's own answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F

from burnish.core.records import Message
from burnish.evals.arms import Models
from burnish.evals.drift import compare_on_base_answers, divergence, drift_parts
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suites import Instruction
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import write_model

PROMPTS = [Instruction("a", "name the colour of the sky", ()), Instruction("b", "say it", ())]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Decoder, Decoder, Renderer]:
    """A random network, another one near it, and their renderer."""
    checkpoint = read_checkpoint(write_model(tmp_path_factory.mktemp("model")))
    shifted = {name: tensor * 1.1 for name, tensor in checkpoint.tensors.items()}
    base, tuned = (
        build_decoder(checkpoint.config, tensors, dtype=torch.float32, device=torch.device("cpu"))
        for tensors in (checkpoint.tensors, shifted)
    )
    return base, tuned, make_renderer(checkpoint.tokenizer)


def models(base: Decoder) -> Models:
    @contextmanager
    def opened() -> Iterator[Decoder]:
        yield base

    return Models(opened, opened)


def test_divergence_of_two_coins_by_hand() -> None:
    """p = (3/4, 1/4), q = (1/2, 1/2): KL = 3/4 log 3/2 + 1/4 log 1/2."""
    logits_p, logits_q = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([[0.0, 0.0]])
    kl, same = divergence(logits_p, torch.eye(2), logits_q, torch.eye(2))
    assert kl.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), abs=1e-7)
    assert same.item() == 1.0


def test_divergence_equals_torchs_in_every_chunk() -> None:
    torch.manual_seed(0)
    base, tuned = torch.randn(300, 8), torch.randn(300, 8)
    heads = torch.randn(50, 8), torch.randn(50, 8)
    kl, _ = divergence(base, heads[0], tuned, heads[1])
    logp, logq = ((h.double() @ head.double().T).log_softmax(-1) for h, head in zip((base, tuned), heads, strict=True))
    wanted = F.kl_div(logq, logp, log_target=True, reduction="none").sum(-1)
    torch.testing.assert_close(kl, wanted, atol=1e-5, rtol=1e-5)


def test_a_model_has_not_moved_from_itself(three: tuple[Decoder, Decoder, Renderer]) -> None:
    base, _, renderer = three
    items = compare_on_base_answers(base, models(base), renderer, "tuned", PROMPTS, lambda count: None)
    assert [(item.scores["kl"], item.scores["same_token"]) for item in items] == [(0.0, 1.0)] * 2


def test_both_look_at_the_tokens_that_the_base_says(three: tuple[Decoder, Decoder, Renderer]) -> None:
    base, tuned, renderer = three
    items = compare_on_base_answers(tuned, models(base), renderer, "tuned", PROMPTS, lambda count: None)
    for prompt, item in zip(PROMPTS, items, strict=True):
        ids = renderer.prompt([Message("user", prompt.prompt)])
        (answer,) = generate(base, [Request(tuple(ids), 64)], stop_ids=renderer.stop_ids)
        assert item.scores["tokens"] == len(answer.tokens) + answer.stopped
        assert item.expected == renderer.decode(answer.tokens)
        assert 0 < item.scores["kl"] < math.inf
        assert item.arm == "tuned"


def test_drift_may_be_left_out(three: tuple[Decoder, Decoder, Renderer]) -> None:
    base, _, renderer = three
    assert drift_parts(RetentionSettings(drift=False), renderer, models(base)) == []
    (part,) = drift_parts(RetentionSettings(), renderer, models(base))
    assert len(part.rows) == 100
