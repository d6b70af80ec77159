"""Whether what a model says depends on what it is computed beside: scores and greedy answers across batch sizes.

    python -m benchmarks.batch_sizes

Questions of the knowledge suite are scored in passes of 256 to 8,192 tokens, and wishes are answered in 4 to 128 slots,
in float32 and in bf16. Reported: the largest difference of a log-probability, and how many greedy answers differ.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks import ours
from benchmarks.common import Options, common_options, make_parser, record, run_command, table
from burnish.core.records import Message
from burnish.evals.retention import as_choices
from burnish.evals.suites import Instruction, Question, shipped
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.generate.score import score_choices
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer

PASSES = (256, 1024, 2048, 8192)
SLOTS = (4, 32, 128)
NEW_TOKENS = 64
GOAL = 1e-4  # nats, in float32


def measure(made: Checkpoint, dtype: torch.dtype, items: int) -> dict[str, Any]:
    """Differences from the first batch size; a log-probability is that of one choice, summed over its tokens."""
    decoder = build_decoder(made.config, made.tensors, dtype=dtype, device=torch.device("cpu"))
    renderer = make_renderer(made.tokenizer, made.generation)
    questions = [one for one in shipped("knowledge") if isinstance(one, Question)][:items]
    asked = [as_choices(renderer.tokenizer, question) for question in questions]
    scores = [score_choices(decoder, asked, tokens_per_pass=tokens) for tokens in PASSES]
    apart = max(
        abs(one - other)
        for more in scores[1:]
        for ours_, theirs in zip(scores[0], more, strict=True)
        for one, other in zip(ours_, theirs, strict=True)
    )
    wishes = [one for one in shipped("instructions") if isinstance(one, Instruction)][:items]
    prompts = [renderer.prompt([Message("user", wish.prompt)]) for wish in wishes]
    requests = [Request(tuple(ids), NEW_TOKENS) for ids in prompts]
    said = [
        [one.tokens for one in generate(decoder, requests, stop_ids=renderer.stop_ids, slots=slots)] for slots in SLOTS
    ]
    differing = [sum(a != b for a, b in zip(said[0], more, strict=True)) for more in said[1:]]
    return {"largest_difference": apart, "differing_answers": dict(zip(SLOTS[1:], differing, strict=True))}


def run(options: Options, items: int) -> None:
    torch.set_num_threads(options.threads)
    made = read_checkpoint(ours.model_folder(options))
    found = {str(dtype)[6:]: measure(made, dtype, items) for dtype in (torch.float32, torch.bfloat16)}
    rows = [[name, one["largest_difference"], str(one["differing_answers"])] for name, one in found.items()]
    print(table([["precision", "largest difference, nats", f"differing of {items} answers, by slots"], *rows]))
    wide = found["float32"]
    figure = (
        f"float32: log-probabilities {wide['largest_difference']:.1e} nats apart at most across passes of {PASSES[0]} "
        f"to {PASSES[-1]} tokens (goal {GOAL:g}), {max(wide['differing_answers'].values())} of {items} greedy answers "
        f"differ across {SLOTS[0]} to {SLOTS[-1]} slots; bf16: {found['bfloat16']['largest_difference']:.2f} nats, "
        f"{max(found['bfloat16']['differing_answers'].values())} of {items}"
    )
    print(figure)
    record(options, "batch-sizes", {"found": found, "goal": GOAL}, figure)


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=1)
    parser.add_argument("--items", type=int, default=100, help="questions, and answers at each number of slots")
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.items)


if __name__ == "__main__":
    run_command(main)
