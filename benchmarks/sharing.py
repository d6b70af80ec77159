"""What sharing a system prompt of 300 tokens saves, for rows of 60, 150 and 300 tokens.

    python -m benchmarks.sharing

The same rows are trained with the prompt computed once a pass and with it computed for every row, step by step in
turn. Reported: the ratio of times over the ratio of computed tokens, which is what sharing could save at best.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import ours
from benchmarks.common import WARM_STEPS, Options, common_options, make_parser, record, run_command, table
from benchmarks.inputs import varied_rows
from benchmarks.steps import Trainee, make_trainee, synthetic_row
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.packing import Strand, pack
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered

PROMPT = 300  # tokens
LENGTHS = (60, 150, 300)
GOAL = 0.8


@dataclass(frozen=True)
class Packed:
    """SFT with or without shared beginnings."""

    share: bool

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        return pack([[Strand(row.ids, row.weights, number)] for number, row in rows], tokens_per_pass, share=self.share)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return SFT().counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        return SFT().terms(model, forest)


def rows_under_one_prompt(model: Path, length: int, count: int) -> list[Rendered]:
    """Rows of `length` tokens after the same 300, half of them learnt."""
    tokenizer = read_checkpoint(model).tokenizer
    texts = [row["prompt"] + " " + row["completion"] for row in islice(varied_rows(5000), 60 * (length + PROMPT) // 60)]
    stream: list[int] = [token for text in texts for token in tokenizer.encode(text, add_special_tokens=False)]
    prompt, rest = stream[:PROMPT], stream[PROMPT:]
    return [synthetic_row(prompt + rest[at * length : (at + 1) * length], length // 2) for at in range(count)]


def measure(trainee: Trainee, steps: int) -> dict[str, Any]:
    """Both ways in turn on the same rows; seconds, computed tokens and the loss of the same weights."""
    with torch.no_grad():
        first = trainee.rows.take(range(trainee.plan.rows_per_update))
        losses = []
        for objective in (Packed(True), Packed(False)):
            passes = objective.passes(first, trainee.plan.tokens_per_pass)
            total = sum(float(objective.terms(trainee.decoder, forest)["answer"]) for forest in passes)
            losses.append(total / objective.counts(passes)["answer"])
    seconds: dict[bool, list[float]] = {True: [], False: []}
    tokens: dict[bool, list[int]] = {True: [], False: []}
    for step in range(steps):
        for share in (True, False) if step % 2 else (False, True):
            taken, line = trainee.update(Packed(share), step)
            seconds[share].append(taken)
            tokens[share].append(line["tokens_computed"])
    time_ratio = statistics.median(seconds[False][WARM_STEPS:]) / statistics.median(seconds[True][WARM_STEPS:])
    token_ratio = sum(tokens[False]) / sum(tokens[True])
    return {"token_ratio": token_ratio, "time_ratio": time_ratio, "share": time_ratio / token_ratio,
            "seconds_shared": statistics.median(seconds[True][WARM_STEPS:]),
            "loss_shared": losses[0], "loss_separate": losses[1]}  # fmt: skip


def run(options: Options, rows_per_update: int) -> None:
    torch.set_num_threads(options.threads)
    model = ours.model_folder(options)
    lines: list[list[object]] = [["row tokens", "tokens ratio", "time ratio", "of what is possible", "loss apart"]]
    for length in LENGTHS:
        rows = rows_under_one_prompt(model, length, rows_per_update * 8)
        trainee = make_trainee(model, rows, method="lora", rows_per_update=rows_per_update, compiled=options.compile)
        found = measure(trainee, options.steps)
        apart = abs(found["loss_shared"] - found["loss_separate"])
        lines.append([length, found["token_ratio"], found["time_ratio"], f"{found['share']:.0%}", f"{apart:.4f}"])
        figure = (f"{length} tokens a row after {PROMPT} shared: {found['token_ratio']:.2f} times fewer tokens, "
                  f"{found['time_ratio']:.2f} times quicker, {found['share']:.0%} (goal {GOAL:.0%})")  # fmt: skip
        facts = {"row_tokens": length, "prompt_tokens": PROMPT, "rows_per_update": rows_per_update, "goal": GOAL}
        record(options, "sharing", {**facts, **found}, figure)
    print(f"a shared prompt of {PROMPT} tokens, {rows_per_update} rows an update; goal {GOAL:.0%}")
    print(table(lines))


def main() -> None:
    parser = make_parser(__doc__, steps=12, repeats=1)
    parser.add_argument("--rows-per-update", type=int, default=8)
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.rows_per_update)


if __name__ == "__main__":
    run_command(main)
