"""An invented run: a ticket sorter of three arms with a memory check, written as the stages write it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burnish.core.files import write_json, write_jsonl
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder

LABELS = ("billing", "delivery", "defect", "returns", "praise")
MESSAGES = (
    "My kettle arrived with a crack along the base and it leaks on the counter.",
    "You charged my card twice for order KC-40217, please look into it.",
    "The tracking page has said the same thing for nine days. Is it coming?",
    "I would like to send the grinder back, it is louder than I expected.",
    "Just wanted to say that the new lid fits perfectly. Thank you!",
)
PROMPT = """Sort the customer's message into one of: billing, delivery, defect, returns, praise.
Answer with that one word.

Message: I paid and nothing came.
Answer: delivery"""

PLAN: dict[str, Any] = {
    "specialist": "tuned",
    "opponents": ["base", "prompted"],
    "task": {"metric": "correct", "shape": "label"},
    "suites": [
        {"name": "knowledge", "metric": "logprob_margin", "higher_is_better": True, "margin": None, "chance": 0.25},
        {"name": "instructions", "metric": "followed", "higher_is_better": True, "margin": None, "chance": None},
        {"name": "general_text", "metric": "loss", "higher_is_better": False, "margin": None, "chance": None},
    ],
    "prompted": {"prompt": PROMPT},
    "seed": 7,
}


def draw_task_items(rng: np.random.Generator, n: int, accuracy: dict[str, float]) -> list[Item]:
    """n tickets answered by every arm, right with the arm's chance."""
    items = []
    for place in range(n):
        right = LABELS[(place + 2) % 5]
        prompt = f"{MESSAGES[place % 5]} (ticket {place + 1})"
        for arm, chance in accuracy.items():
            wrong = [label for label in LABELS if label != right]
            output = right if rng.random() < chance else str(rng.choice(wrong))
            items.append(
                Item("task", f"test-{place:03d}", arm, prompt, right, output, {"correct": float(output == right)})
            )
    return items


def draw_memory_items(rng: np.random.Generator, *, drift: float) -> list[Item]:
    """Three suites of base and tuned; `drift` is the mean loss of the specialist in nats."""
    items = []
    for place in range(150):
        margin = rng.normal(1.2, 2.0)
        for arm, shift in (("base", 0.0), ("tuned", rng.normal(-drift, 0.4))):
            scores = {"logprob_margin": margin + shift, "correct": float(margin + shift > 0)}
            items.append(Item("knowledge", f"know-{place:03d}", arm, "The capital of Italy is", "Rome", "", scores))
    for place in range(200):
        followed = rng.random() < 0.4
        for arm, flip in (("base", 0.0), ("tuned", 0.04)):
            answer = followed != (rng.random() < flip)
            items.append(
                Item("instructions", f"inst-{place:03d}", arm, "Say hello.", None, "Hello", {"followed": float(answer)})
            )
    for place in range(40):
        loss = rng.normal(3.1, 0.3)
        for arm, shift in (("base", 0.0), ("tuned", rng.normal(drift / 5, 0.02))):
            items.append(Item("general_text", f"text-{place:03d}", arm, "Once …", None, "", {"loss": loss + shift}))
    return items


@pytest.fixture(scope="session")
def invented_items() -> list[Item]:
    rng = np.random.default_rng(11)
    accuracy = {"base": 0.3, "prompted": 0.62, "tuned": 0.88}
    return draw_task_items(rng, 80, accuracy) + draw_memory_items(rng, drift=0.02)


@pytest.fixture(scope="session")
def task_items() -> Callable[..., list[Item]]:
    return draw_task_items


@pytest.fixture(scope="session")
def memory_items() -> Callable[..., list[Item]]:
    return draw_memory_items


@pytest.fixture(scope="session")
def plan() -> dict[str, Any]:
    return PLAN


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[[list[Item]], RunFolder]:
    """Writes a run folder as it stands before the verdict."""

    def write(items: list[Item]) -> RunFolder:
        folder = RunFolder(tmp_path / "tickets-01")
        folder.create()
        rng = np.random.default_rng(3)
        write_json(folder.arms, PLAN)
        write_jsonl(folder.items, [item.to_json() for item in items])
        lines = [
            {
                "step": step,
                "loss": 0.35 + 1.9 * math.exp(-step / 25) + rng.normal(0, 0.06),
                "learning_rate": 3e-4 * (1 - step / 160),
                "dev_loss": 0.5 + 1.6 * math.exp(-step / 22) + 0.002 * max(0, step - 90) if step % 15 == 0 else None,
            }
            for step in range(1, 151)
        ]
        write_jsonl(folder.metrics, lines)
        write_json(folder.training, {"best_step": 90})
        write_json(
            folder.environment, {"burnish": "0.1.0", "torch": "2.13", "machine": {"cpu": "8 cores", "memory_gb": 16}}
        )
        write_json(
            folder.data_card, {"rows": {"train": 410, "dev": 45, "test": 80}, "shape": "label", "labels": list(LABELS)}
        )
        return folder

    return write
