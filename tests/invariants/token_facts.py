"""What the tests of new tokens compare between two processes. Run with folders, it prints theirs, a line each."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from burnish.adapt import methods
from burnish.adapt.settings import LoRASettings
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.model.vocabulary import with_new_tokens

CPU, FLOAT32 = torch.device("cpu"), torch.float32
NAMES = ("<sku>", "refund-no", "[[id]]")
TEXT = "is <sku> a refund-no, [[id]]? ü"
SETTINGS = LoRASettings(r=4, alpha=8)


def decoder_of(checkpoint: Checkpoint) -> Decoder:
    return build_decoder(checkpoint.config, checkpoint.tensors, dtype=FLOAT32, device=CPU,
                         tokens=checkpoint.tokens, new_ids=checkpoint.new_ids)  # fmt: skip


def ids_of(checkpoint: Checkpoint) -> list[int]:
    ids: list[int] = checkpoint.tokenizer.encode(TEXT, add_special_tokens=False)
    return ids


@torch.no_grad()
def facts(checkpoint: Checkpoint, decoder: Decoder) -> dict[str, object]:
    """Ids, sizes, rows and logits, the numbers to their last bit."""
    ids = ids_of(checkpoint)
    hidden = decoder.hidden(plant([Segment(ids, [0.0] * len(ids))]))
    return {
        "ids": ids,
        "new": list(checkpoint.new_ids),
        "size": len(decoder.head_weight),
        "rows": decoder.head_weight[list(checkpoint.new_ids)].tolist(),
        "logits": decoder.logits(hidden).tolist(),
    }


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        found = with_new_tokens(read_checkpoint(folder / "model"), NAMES)
        loaded = decoder_of(found)
        methods.load_adapter(loaded, SETTINGS, folder / "adapter")
        print(json.dumps(facts(found, loaded)))
