"""transformers' own generate, greedy, in batches of prompts of like length: the seconds it takes and what it says."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--adapter", type=Path, required=True)
parser.add_argument("--prompts", type=Path, required=True, help="lines {arm, row, ids}")
parser.add_argument("--to", type=Path, required=True)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--new-tokens", type=int, required=True)
parser.add_argument("--stop", type=int, nargs="+", required=True)
parser.add_argument("--products", default="bfloat16")
arguments = parser.parse_args()

lines = [json.loads(line) for line in arguments.prompts.read_text("utf-8").splitlines()]
base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=getattr(torch, arguments.products)).eval()
tokenizer = AutoTokenizer.from_pretrained(arguments.model)
pad = arguments.stop[0]


def answer(model: Any, rows: list[dict[str, Any]]) -> None:
    """One batch, padded on the left."""
    longest = max(len(row["ids"]) for row in rows)
    ids = torch.tensor([[pad] * (longest - len(row["ids"])) + row["ids"] for row in rows])
    mask = torch.tensor([[0] * (longest - len(row["ids"])) + [1] * len(row["ids"]) for row in rows])
    made = model.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=arguments.new_tokens, do_sample=False,
        eos_token_id=arguments.stop, pad_token_id=pad, use_cache=True,
    )  # fmt: skip
    for row, said in zip(rows, made[:, longest:].tolist(), strict=True):
        end = next((at for at, token in enumerate(said) if token in arguments.stop), len(said))
        row["said"] = tokenizer.decode(said[:end], skip_special_tokens=True)


seconds: dict[str, float] = {}
for arm in dict.fromkeys(line["arm"] for line in lines):
    # peft merges the adapter into the weights, which is faster than to add it at every product
    model = base if arm != "tuned" else PeftModel.from_pretrained(base, arguments.adapter).merge_and_unload()
    rows = sorted((line for line in lines if line["arm"] == arm), key=lambda line: -len(line["ids"]))
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(rows), arguments.batch):
            answer(model, rows[first : first + arguments.batch])
    seconds[arm] = time.perf_counter() - started
said = [{"arm": line["arm"], "row": line["row"], "said": line["said"]} for line in lines]
arguments.to.write_text(json.dumps({"seconds": seconds, "said": said}), "utf-8")
