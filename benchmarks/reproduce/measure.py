"""The losses of a trained run, in a process of its own: python -m benchmarks.reproduce.measure RUN

Writes losses.json into the run's folder: of every test row the nats and learnt tokens, of the shipped passages of
general text nats and tokens. Forgetting is the rise of the latter over the base's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from burnish.core.files import write_json
from burnish.core.records import Row
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows
from burnish.evals.suites import Passage, shipped
from burnish.generate.score import text_loss
from burnish.model.decoder import Decoder
from burnish.objectives.sft import SFT
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe
from burnish.render.batch import render_rows
from burnish.render.renderer import Rendered, Renderer

TOKENS_PER_PASS = 2048


@torch.no_grad()
def answer_losses(decoder: Decoder, renderer: Renderer, rows: list[Row]) -> list[tuple[float, float]]:
    """Of each row: -Σ log p of the learnt tokens in nats, and how many there are."""
    rendered = [row for row in render_rows(renderer, rows) if isinstance(row, Rendered)]
    sums = torch.zeros(len(rendered), 2, dtype=torch.float64)
    for forest in SFT().passes(list(enumerate(rendered)), TOKENS_PER_PASS):
        logprob_N = decoder.logprobs(decoder.hidden(forest), forest).double()
        both_N = torch.stack([-logprob_N, torch.ones_like(logprob_N)], -1) * forest.target_weight_N.double()[:, None]
        sums.index_add_(0, forest.target_row_N, both_N)
    return [(nats, tokens) for nats, tokens in sums.tolist()]


@torch.no_grad()
def general_losses(decoder: Decoder, renderer: Renderer) -> list[tuple[float, int]]:
    """Of each passage: nats, and how many tokens were predicted."""
    texts = [item.text for item in shipped("general_text") if isinstance(item, Passage)]
    return text_loss(decoder, [renderer.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--base", action="store_true", help="of the pretrained model instead, into base.json")
    parsed = parser.parse_args()
    run = RunFolder(parsed.run)
    recipe, base = read_recipe(run.recipe)
    shop = Workshop(recipe, base, run)
    decoder = shop.base_decoder() if parsed.base else shop.specialist()
    losses = {
        "rows": answer_losses(decoder, shop.renderer, list(read_rows(run.test))),
        "general": general_losses(decoder, shop.renderer),
    }
    write_json(run.path / ("base.json" if parsed.base else "losses.json"), losses)


if __name__ == "__main__":
    main()
