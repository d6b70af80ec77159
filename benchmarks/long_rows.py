"""One row a pass, of a stated length: seconds of each step as a line of JSON. A process a length, for its memory."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path

import torch

from benchmarks.inputs import varied_rows
from benchmarks.steps import make_trainee, synthetic_row
from burnish.model.checkpoint import read_checkpoint
from burnish.objectives.sft import SFT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("length", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("--compile", action="store_true")
    parsed = parser.parse_args()
    torch.set_num_threads(parsed.threads)
    tokenizer = read_checkpoint(parsed.model).tokenizer
    texts = [row["prompt"] + " " + row["completion"] for row in islice(varied_rows(5000), 40 + parsed.length // 20)]
    stream: list[int] = [token for text in texts for token in tokenizer.encode(text, add_special_tokens=False)]
    rows = [synthetic_row(stream[at : at + parsed.length], parsed.length // 4) for at in range(8)]
    trainee = make_trainee(parsed.model, rows, method="lora", rows_per_update=1, tokens_per_pass=parsed.length,
                           compiled=parsed.compile)  # fmt: skip
    seconds = [trainee.update(SFT(), step)[0] for step in range(parsed.steps)]
    print(json.dumps({"length": len(rows[0].ids), "seconds": seconds}))


if __name__ == "__main__":
    main()
