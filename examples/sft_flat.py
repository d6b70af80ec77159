"""Supervised fine-tuning with LoRA on one page, from the rows to the trained weights: torch and transformers only.

Read it from top to bottom to see what `burnish train` does. The package computes the same losses, step by step
(tests/parity/test_loop_vs_flat.py); it adds what a page has no room for: packing, a dev set, checkpoints, guards.

    python examples/sft_flat.py MODEL_FOLDER examples/support/tickets.jsonl --steps 40
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result."""

    steps: int = 40
    rows_per_update: int = 8
    learning_rate: float = 5e-4  # the peak
    warmup_steps: int = 2
    clip: float = 1.0  # largest norm of the gradient
    r: int = 16
    alpha: float = 32.0
    seed: int = 0


# 1. The data: a row is a question and the answer to learn.


def read_rows(path: Path) -> list[Messages]:
    """One JSON object a line: {"prompt": …, "completion": …}."""
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return [
        [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]
        for row in rows
    ]


# 2. Rendering: text → token ids, and a weight for each: 1 for what the model shall learn to say, 0 for what it reads.


def render(tokenizer: PreTrainedTokenizerFast, messages: Messages) -> tuple[list[int], list[float]]:
    """An answer's tokens are those after the generation prompt, up to and with the token that ends the turn."""
    ids = template_ids(tokenizer, messages)
    weights = [0.0] * len(ids)
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(template_ids(tokenizer, messages[:index], generation_prompt=True))
            end = len(template_ids(tokenizer, messages[: index + 1]))
            while ids[end - 1] != tokenizer.eos_token_id:  # the line end after the turn's last token is not learnt
                end -= 1
            weights[start:end] = [1.0] * (end - start)
    return ids, weights


def template_ids(
    tokenizer: PreTrainedTokenizerFast, messages: Messages, *, generation_prompt: bool = False
) -> list[int]:
    """The conversation as the model was taught to read it."""
    return list(
        tokenizer.apply_chat_template(
            messages, add_generation_prompt=generation_prompt, tokenize=True, return_dict=False
        )
    )


# 3. LoRA: y = W x + (alpha / r) · B A x. Only A and B train; B starts at zero, so at first nothing changes.


class LoRALinear(nn.Module):
    """A frozen matrix with a low-rank update beside it (arXiv 2106.09685)."""

    def __init__(self, base: nn.Linear, r: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        bound = 1 / math.sqrt(base.in_features)  # as torch initialises a linear layer
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features).uniform_(-bound, bound, generator=generator))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r))
        self.scale = alpha / r

    def forward(self, x: Tensor) -> Tensor:
        base: Tensor = self.base(x)
        return base + F.linear(F.linear(x, self.lora_A), self.lora_B * self.scale)


def add_lora(model: PreTrainedModel, settings: Settings) -> list[nn.Parameter]:
    """Freezes the model, puts LoRA beside every matrix of every layer, returns what trains."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(settings.seed)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if name in TARGETS and isinstance(child, nn.Linear):
                setattr(module, name, LoRALinear(child, settings.r, settings.alpha, generator))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


# 4. Which rows an update sees, and at which rate it learns: both are pure functions of the step.


def rows_of_update(step: int, rows: int, settings: Settings) -> list[int]:
    """Every row once an epoch, in an order drawn anew for each epoch; an update may span two epochs."""
    numbers = []
    for at in range(step * settings.rows_per_update, (step + 1) * settings.rows_per_update):
        epoch, place = divmod(at, rows)
        order = np.random.Generator(np.random.Philox(key=[settings.seed, epoch])).permutation(rows)
        numbers.append(int(order[place]))
    return numbers


def rate_at(step: int, settings: Settings) -> float:
    """Rises in equal parts over the warm-up, then falls along a cosine to a tenth of the peak."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / (settings.warmup_steps + 1)
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


# 5. The loss of a row: a sum over its learnt tokens. Token t is predicted from what stands before it.


def row_loss(model: PreTrainedModel, ids: Sequence[int], weights: Sequence[float]) -> Tensor:
    """Σ weight · -log p(token), in nats."""
    tokens_T, weights_T = torch.tensor(ids), torch.tensor(weights)
    logits_T_V = model(tokens_T[None]).logits[0]
    return (F.cross_entropy(logits_T_V[:-1], tokens_T[1:], reduction="none") * weights_T[1:]).sum()


# 6. The loop. Sums are divided once, by the number of tokens learnt in the whole update.


def train(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Messages], settings: Settings
) -> list[float]:
    """Trains LoRA in place and returns the loss of every step."""
    parameters = add_lora(model.train(), settings)
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.0)
    rendered = [render(tokenizer, row) for row in rows]
    losses = []
    for step in range(settings.steps):
        update = [rendered[number] for number in rows_of_update(step, len(rows), settings)]
        learnt = sum(sum(weights) for _, weights in update)
        loss = 0.0
        for ids, weights in update:
            part = row_loss(model, ids, weights) / learnt
            part.backward()
            loss += float(part.detach())
        nn.utils.clip_grad_norm_(parameters, settings.clip)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, settings)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss)
        print(f"step {step + 1}/{settings.steps}  loss {loss:.4f}  rate {rate_at(step, settings):.2e}")
    return losses


def main() -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a folder or hub id that transformers reads")
    parser.add_argument("data", type=Path, help="a .jsonl file of prompts and completions")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    arguments = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    train(model, tokenizer, read_rows(arguments.data), Settings(steps=arguments.steps))


if __name__ == "__main__":
    main()
