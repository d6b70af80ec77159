"""The values behind `auto`, each with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass

from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, LoRASettings, OSFTSettings
from burnish.core.hardware import memory_bytes
from burnish.train.settings import TrainSettings


@dataclass(frozen=True)
class Plan:
    """Every number that training follows, with nothing left to guess."""

    rows: int
    steps: int
    rows_per_update: int
    tokens_per_pass: int
    learning_rate: float
    warmup_steps: int
    evaluate_every: int
    save_every: int
    in_order: bool = False  # whether the first epoch takes the rows as they stand in train.jsonl


# Of LoRA's rate. Factors and rows are few, and each has far to go: published are 3e-3 for IA3 (arXiv 2205.05638),
# up to 3e-3 for bottlenecks (1902.00751) and 3e-2 for prefixes (2110.07602), 0.3 for prompts (2104.08691). For VeRA
# they are 4e-3 to 1e-2 (2310.11454), where SmolLM2-135M hardly moved; at 3e-2 and 1e-1 it learnt.
TIMES = {"bottleneck": 3, "ia3": 10, "vera": 30, "prompt": 30, "prefix": 30}


def learning_rate(width: int, adapt: AdaptSettings, objective: str = "sft") -> float:
    """5e-4 · (2000 / width)^0.5 for adapters, a tenth of it when the weights themselves train, a tenth for preferences.

    The published sweeps over 35 models found 3e-4 to 1e-3 best for LoRA, higher for narrow models, and ten times less
    for full fine-tuning ("LoRA Without Regret", 2025). The square root lies between their fits for two families.
    A preference pulls two answers apart without end, so its published rates are lower: Tülu 3 (arXiv 2411.15124) took
    5e-6 for supervised fine-tuning and 5e-7 for DPO. What learns a few vectors only takes more (`TIMES`); OSFT's update
    moves like a weight, not like a product of two. The rank does not enter: with alpha / r before the product the best
    rate hardly depends on it (the same source). LoRA+ shares its ratio out, A's rate falling as B's rises.
    """
    rate = 5e-4 * math.sqrt(2000 / width) * TIMES.get(adapt.type, 1)
    rate = rate / math.sqrt(adapt.plus_ratio) if isinstance(adapt, LoRASettings) else rate
    rate = rate / 10 if objective == "dpo" else rate
    return rate / 10 if isinstance(adapt, FullSettings | FreezeSettings | OSFTSettings) else rate


def rows_per_update(rows: int) -> int:
    """8, fewer when that would leave under 40 updates an epoch, never under 4.

    LoRA loses more to large batches than full fine-tuning does ("LoRA Without Regret", 2025).
    """
    return max(4, min(8, rows // 40))


def tokens_per_pass(longest: int, adapt: AdaptSettings, recompute: bool = False) -> int:
    """1,024 tokens keep a CPU's matrix units busy: 2,048 are hardly faster and take 0.6 GB more at 135M weights. Half
    as many again where the weights themselves train, all of which every pass casts and adds up: 2,048 are 3 % faster
    and take 0.5 GB more. 4,096 where memory is ample, three quarters where it is so short that activations are
    recomputed; at least the longest row."""
    few = 1536 if isinstance(adapt, FullSettings | FreezeSettings) else 1024
    if recompute:
        return max(longest, few * 3 // 4)
    return max(longest, 4096 if memory_bytes() >= 64 * 2**30 else few)


def make_plan(
    settings: TrainSettings,
    adapt: AdaptSettings,
    *,
    rows: int,
    longest: int,
    width: int,
    objective: str = "sft",
    in_order: bool = False,
) -> Plan:
    """Fills in what the recipe leaves to Burnish."""
    ruled = learning_rate(width, adapt, objective)
    rate = ruled if isinstance(settings.learning_rate, str) else settings.learning_rate
    per_update = rows_per_update(rows) if settings.rows_per_update == "auto" else settings.rows_per_update
    per_update = min(per_update, rows)
    steps = settings.steps or max(1, math.ceil(settings.epochs * rows / per_update))
    every = max(1, round(rows / per_update / 3)) if settings.evaluate_every == "auto" else settings.evaluate_every
    return Plan(
        rows=rows,
        steps=steps,
        rows_per_update=per_update,
        tokens_per_pass=tokens_per_pass(longest, adapt, settings.recompute)
        if settings.tokens_per_pass == "auto"
        else settings.tokens_per_pass,
        learning_rate=rate * settings.learning_rate_multiplier,
        warmup_steps=max(1, round(settings.warmup * steps)) if settings.warmup else 0,
        evaluate_every=every,
        save_every=every if settings.save_every == "auto" else settings.save_every,
        in_order=in_order,
    )
