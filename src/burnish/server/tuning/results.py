"""What a finished run hands to its job: the metrics as OpenAI's CSV, the number of tokens, the verdict."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")


def write_csv(lines: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """A line an update. Accuracy is the share of the answers' tokens that the model finds likeliest itself; in training
    on preferences, that of the pairs that it tells apart."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for line in lines:
            writer.writerow(
                [line["step"], *(line.get(name) for name in ("loss", "accuracy", "dev_loss", "dev_accuracy"))]
            )
    return path


def tokens_trained(lines: Sequence[Mapping[str, Any]]) -> int:
    """All that were read in all updates."""
    return sum(int(line["tokens"]) for line in lines)


def resolved(hyperparameters: Mapping[str, Any], run: RunFolder) -> dict[str, Any]:
    """The values behind `auto`, as OpenAI fills them in."""
    plan = read_json(run.training)
    epochs = max(1, round(plan["steps"] * plan["rows_per_update"] / plan["rows"]))
    chosen = {"n_epochs": epochs, "batch_size": plan["rows_per_update"], "learning_rate_multiplier": 1.0, "beta": 0.1}
    return {key: chosen[key] if value == "auto" else value for key, value in hyperparameters.items()}


def verdict_of(run: RunFolder) -> dict[str, Any]:
    """What was found out about the tuned model: two outcomes with their reasons, and the same in a sentence or two."""
    verdict = read_json(run.verdict_json)
    text = run.verdict_md.read_text("utf-8").split("\n## ")[0].replace("**", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {
        "task": {key: verdict["task"][key] for key in ("outcome", "reason", "metric", "n")},
        "memory": {key: verdict["memory"][key] for key in ("outcome", "reason")},
        "text": " ".join(lines),
    }
