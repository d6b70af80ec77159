"""How far the specialist has moved from the base, on the base's own answers: needs no data and no grader.

The base answers general prompts greedily. At every token of those answers both models' distributions of the next token
are compared over the whole vocabulary: KL(base ‖ tuned), in nats a token (Kullback and Leibler 1951).

Names: N tokens of answers, n of one chunk, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from burnish.core.records import Item, Message
from burnish.evals.arms import ArmName, Models, Progress
from burnish.evals.items_file import Part
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suites import Instruction, shipped, short_part
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.generate.score import hidden_states
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

SUITE = "drift"
PROMPTS = {"all": 100, "short": 30}  # of the instructions: any general wishes would do
ANSWER_TOKENS = 64
CHUNK = 128  # tokens at a time: two models' logits over 49,152 tokens are 50 MB in float32


def drift_entry(settings: RetentionSettings) -> dict[str, Any] | None:
    """For arms.json."""
    return {"prompts": PROMPTS[settings.size], "max_new_tokens": ANSWER_TOKENS} if settings.drift else None


def drift_parts(settings: RetentionSettings, renderer: Renderer, models: Models) -> list[Part]:
    """One item a prompt, of the arm `tuned`. The base is opened inside: both models look at the same tokens."""
    if not settings.drift:
        return []
    prompts = short_part(shipped("instructions"), PROMPTS[settings.size])

    def measure(tuned: Decoder, arm: ArmName, rows: Sequence[Any], progress: Progress) -> list[Item]:
        return compare_on_base_answers(tuned, models, renderer, arm, rows, progress)

    return [Part(SUITE, "tuned", prompts, measure)]


def compare_on_base_answers(
    tuned: Decoder,
    models: Models,
    renderer: Renderer,
    arm: ArmName,
    prompts: Sequence[Instruction],
    progress: Progress,
) -> list[Item]:
    """`kl`: the mean over the tokens of the base's answer, in nats a token, the stop token with them; `same_token`: how
    often both hold the same token for the likeliest; `tokens`: of how many. `expected` is the base's answer.
    """
    asked = [tuple(renderer.prompt([Message("user", prompt.prompt)])) for prompt in prompts]
    with models.base() as base:
        room = [max(min(ANSWER_TOKENS, base.config.context - len(ids)), 0) for ids in asked]
        requests = [Request(ids, tokens) for ids, tokens in zip(asked, room, strict=True)]
        answers = generate(base, requests, stop_ids=renderer.stop_ids, progress=progress)
        # what is read to predict each token of the answer: the prompt and all of the answer before it
        texts = [
            (*ids, *answer.tokens) if answer.stopped else (*ids, *answer.tokens[:-1])
            for ids, answer in zip(asked, answers, strict=True)
        ]
        theirs = [hidden[len(ids) - 1 :] for ids, hidden in zip(asked, hidden_states(base, texts), strict=True)]
        base_head = base.head_weight
    ours = [hidden[len(ids) - 1 :] for ids, hidden in zip(asked, hidden_states(tuned, texts), strict=True)]
    items = []
    for prompt, answer, base_N_D, tuned_N_D in zip(prompts, answers, theirs, ours, strict=True):
        kl_N, same_N = divergence(base_N_D, base_head, tuned_N_D, tuned.head_weight)
        scores = {"kl": float(kl_N.mean()), "same_token": float(same_N.mean()), "tokens": float(len(kl_N))}
        items.append(Item(SUITE, prompt.id, arm, prompt.prompt, renderer.decode(answer.tokens), "", scores))
    return items


@torch.inference_mode()
def divergence(
    base_N_D: Tensor, base_head_V_D: Tensor, tuned_N_D: Tensor, tuned_head_V_D: Tensor
) -> tuple[Tensor, Tensor]:
    """KL(base ‖ tuned) at each position (N,), exact over the vocabulary, and whether both have the same likeliest token
    (N,). Computed in chunks, so that the logits of all positions never exist. float64.
    """
    kl, same = [], []
    for start in range(0, len(base_N_D), CHUNK):
        here = slice(start, start + CHUNK)
        base_n_V = _logprobs(base_N_D[here], base_head_V_D)
        tuned_n_V = _logprobs(tuned_N_D[here], tuned_head_V_D)
        same.append((base_n_V.argmax(-1) == tuned_n_V.argmax(-1)).double())
        kl.append((base_n_V.exp() * (base_n_V - tuned_n_V)).sum(-1, dtype=torch.float64).clamp_min(0))
    return torch.cat(kl), torch.cat(same)


def _logprobs(hidden_n_D: Tensor, head_V_D: Tensor) -> Tensor:
    return F.linear(hidden_n_D, head_V_D.to(hidden_n_D.dtype)).float().log_softmax(-1)
