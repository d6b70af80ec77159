"""How many directions an update needs, in a process of its own: python -m benchmarks.reproduce.update_rank RUN

Of every matrix of the layers: the least rank that holds 90 % of the squared norm of (trained - pretrained). Writes
update_rank.json into the run's folder: {weight: rank}.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from burnish.adapt.methods import merged_tensors
from burnish.core.files import write_json
from burnish.core.run_folder import RunFolder
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe

ENERGY = 0.9


def rank_of(update: torch.Tensor) -> int:
    """The least rank whose best approximation holds `ENERGY` of the squared norm (Eckart-Young)."""
    squares = torch.linalg.svdvals(update) ** 2
    held = torch.cumsum(squares, 0) / squares.sum()
    return int((held < ENERGY).sum()) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    run = RunFolder(parser.parse_args().run)
    recipe, base = read_recipe(run.recipe)
    shop = Workshop(recipe, base, run)
    before, after = shop.base_decoder(torch.float32), merged_tensors(shop.specialist(torch.float32))
    ranks = {}
    for name, weight in before.named_parameters():
        if weight.ndim == 2 and ".layers." in name and bool((update := after[name].float() - weight).any()):
            ranks[name] = rank_of(update)
    write_json(run.path / "update_rank.json", ranks)


if __name__ == "__main__":
    main()
