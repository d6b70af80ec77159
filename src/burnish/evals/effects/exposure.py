"""How well does an arm remember the canaries that were planted into train?

Exposure in bits: log2 of the numbers there might be, minus log2 of the canary's rank among them by likelihood (Carlini
et al. 2019), here among 128: the canary and 127 others drawn at random. 7 bits: likelier than all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from burnish.core.records import Chat, Item, Text
from burnish.data.canaries import KEY, other_secrets, with_secret
from burnish.evals.arms import ArmName, Progress
from burnish.evals.effects.records import Exposure
from burnish.generate.score import Choices, parted, score_choices
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

SUITE = "canary"
OTHERS = 127


def ask_canaries(
    decoder: Decoder, renderer: Renderer, arm: ArmName, rows: Sequence[Chat | Text], progress: Progress
) -> list[Item]:
    """One item a canary: its rank among the numbers that it might have had, and the exposure."""
    items = []
    for row in rows:
        (logprobs,) = score_choices(decoder, [_as_choices(renderer, row)])
        rank = 1 + sum(other >= logprobs[0] for other in logprobs[1:])
        scores = {"rank": float(rank), "exposure": math.log2((OTHERS + 1) / rank)}
        prompt = row.prompt_text if isinstance(row, Chat) else row.text.replace(row.meta[KEY], "…")
        items.append(Item(SUITE, row.id, arm, prompt, row.meta[KEY], "", scores))
    return items


def _as_choices(renderer: Renderer, row: Chat | Text) -> Choices:
    """The canary's number first, then the others."""
    secrets = [row.meta[KEY], *other_secrets(row, OTHERS)]
    return parted([renderer.row(with_secret(row, secret)).ids for secret in secrets])


def exposure(arm: str, items: Sequence[Item]) -> Exposure | None:
    """The mean over the canaries of one arm; None where none was planted."""
    if not items:
        return None
    numbers = OTHERS + 1
    chance = sum(math.log2(numbers / rank) for rank in range(1, numbers + 1)) / numbers
    bits = sum(item.scores["exposure"] for item in items) / len(items)
    first = sum(item.scores["rank"] == 1 for item in items)
    return Exposure(arm, len(items), bits, chance, math.log2(numbers), first)
