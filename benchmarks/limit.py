"""How far from the machine's limit: operations a second of a real step over those of its plain matrix products.

    python -m benchmarks.limit                     LoRA
    python -m benchmarks.limit --method full       all weights

The limit is measured here, with the model's own matrices one after another, at the number of tokens of a real pass, in
bf16: the product of the forward pass, that of the activations' gradient and, for full, that of the weights' gradient.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import ours
from benchmarks.common import WARM_STEPS, Options, common_options, make_parser, record, run_command, table
from benchmarks.flops import shapes_of, step_flops
from benchmarks.inputs import answer_rows
from benchmarks.steps import Trainee, make_trainee
from burnish.core.files import read_jsonl
from burnish.core.records import Chat, Message
from burnish.model.checkpoint import read_checkpoint
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered, make_renderer
from burnish.train.order import rows_of_update

SWEEPS = 5


def rendered_rows(model: Path, file: Path) -> list[Rendered]:
    """{prompt, completion} rows as the model reads them."""
    made = read_checkpoint(model)
    renderer = make_renderer(made.tokenizer, made.generation)
    return [
        renderer.row(Chat("", (Message("user", row["prompt"]), Message("assistant", row["completion"]))))
        for row in read_jsonl(file)
    ]


def product_rates(shapes: Sequence[tuple[int, int]], tokens: int, *, full: bool) -> dict[str, float]:
    """Operations a second of each kind of product over all matrices, the median of a few sweeps."""
    weights = [torch.randn(outputs, inputs).bfloat16() for inputs, outputs in shapes]
    before = {inputs: torch.randn(tokens, inputs).bfloat16() for inputs, _ in shapes}
    after = {outputs: torch.randn(tokens, outputs).bfloat16() for _, outputs in shapes}
    total = sum(2.0 * tokens * inputs * outputs for inputs, outputs in shapes)

    def forward(weight: Tensor) -> Tensor:
        return before[weight.shape[1]] @ weight.T

    def activations(weight: Tensor) -> Tensor:
        return after[weight.shape[0]] @ weight

    def trained(weight: Tensor) -> Tensor:
        return after[weight.shape[0]].T @ before[weight.shape[1]]

    kinds = {"forward": forward, "activations' gradient": activations}
    if full:
        kinds["weights' gradient"] = trained
    rates = {}
    for name, product in kinds.items():
        seconds = []
        for _ in range(SWEEPS + 1):
            started = time.perf_counter()
            for weight in weights:
                product(weight)
            seconds.append(time.perf_counter() - started)
        rates[name] = total / statistics.median(seconds[1:])
    return rates


def real_steps(trainee: Trainee, steps: int, *, full: bool) -> tuple[float, dict[str, float], int]:
    """Operations a second of the real step, the operations of a step by part, and the tokens of a pass."""
    shapes, objective = shapes_of(trainee.decoder), SFT()
    seconds, parts, pass_tokens = 0.0, dict[str, float](), list[int]()
    for step in range(steps):
        taken, _ = trainee.update(objective, step)
        if step < WARM_STEPS:
            continue
        numbers = rows_of_update(step, seed=0, rows=trainee.plan.rows, rows_per_update=trainee.plan.rows_per_update)
        passes = objective.passes(trainee.rows.take(numbers), trainee.plan.tokens_per_pass)
        for name, count in step_flops(shapes, passes, full=full).items():
            parts[name] = parts.get(name, 0.0) + count
        pass_tokens += [forest.tokens for forest in passes]
        seconds += taken
    counted = steps - WARM_STEPS
    per_step = {name: count / counted for name, count in parts.items()}
    return sum(parts.values()) / seconds, per_step, round(statistics.mean(pass_tokens))


def run(options: Options, method: str, rows_per_update: int) -> None:
    torch.set_num_threads(options.threads)
    full = method == "full"
    model = ours.model_folder(options)
    rows = rendered_rows(model, answer_rows(options.work, 400).train)
    trainee = make_trainee(model, rows, method=method, rows_per_update=rows_per_update, compiled=options.compile)
    results = []
    for _ in range(options.repeats):
        achieved, parts, tokens = real_steps(trainee, options.steps, full=full)
        rates = product_rates(shapes_of(trainee.decoder).matrices, tokens, full=full)
        limit = len(rates) / sum(1 / rate for rate in rates.values())  # each kind has the same number of operations
        results.append((achieved / limit, achieved, limit, rates, parts, tokens))
        print(
            f"step {achieved / 1e9:,.0f} GFLOP/s, products {limit / 1e9:,.0f} GFLOP/s: {achieved / limit:.0%}",
            flush=True,
        )
    share, achieved, limit, rates, parts, tokens = sorted(results, key=lambda one: one[0])[len(results) // 2]
    print(f"\n{method}, {rows_per_update} rows an update, passes of {tokens} tokens on average")
    print(table([["product", "GFLOP/s"], *([name, rate / 1e9] for name, rate in rates.items())]))
    total = sum(parts.values())
    counted = [[name, count / 1e9, f"{count / total:.0%}"] for name, count in parts.items()]
    print(table([["part of a step", "GFLOP", "share"], *counted]))
    print(f"achieved {achieved / 1e9:,.0f} of {limit / 1e9:,.0f} GFLOP/s: {share:.0%}")
    facts = {"achieved_flops": achieved, "limit_flops": limit, "share": share, "product_rates": rates}
    record(options, f"limit-{method}", {**facts, "step_flops": parts, "pass_tokens": tokens},
           f"{method}: {achieved / 1e9:,.0f} of {limit / 1e9:,.0f} GFLOP/s, {share:.0%}")  # fmt: skip


def main() -> None:
    parser = make_parser(__doc__, steps=8, repeats=3)
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parser.add_argument("--rows-per-update", type=int, default=8)
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.method, parsed.rows_per_update)


if __name__ == "__main__":
    run_command(main)
