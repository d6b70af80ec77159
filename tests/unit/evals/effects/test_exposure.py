"""Canaries: what is planted, and what a model remembers of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from burnish.core.errors import DataError
from burnish.core.records import Chat, Item, Message, Pair, Row, Text
from burnish.data.canaries import KEY, is_canary, other_secrets, plant, with_secret
from burnish.evals.effects.exposure import OTHERS, ask_canaries, exposure
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.render.batch import Length
from burnish.render.renderer import make_renderer
from tests.tiny import write_model

CHAT = Chat("1", (Message("user", "q"), Message("assistant", "a")))


def lengths(rows: Iterator[Row] | Sequence[Row]) -> Iterator[Length]:
    return (Length(10, 3) for _ in rows)


@pytest.mark.parametrize("like", [CHAT, Text("1", "t")])
def test_canaries_are_like_the_rows_and_differ_from_each_other(like: Row) -> None:
    planted = plant(5, like, 0, lengths)
    assert planted == plant(5, like, 0, lengths)
    assert {type(row) for row in planted.rows} == {type(like)}
    assert all(map(is_canary, planted.rows))
    assert not is_canary(like)
    assert len({row.meta[KEY] for row in planted.rows if isinstance(row, Chat | Text)}) == 5
    assert len(planted.lengths) == 5
    assert plant(5, like, 1, lengths) != planted


def test_preferences_hold_no_canary() -> None:
    with pytest.raises(DataError, match="conversations and texts"):
        plant(1, Pair("1", (Message("user", "q"),), "a", "b"), 0, lengths)
    assert plant(0, Pair("1", (Message("user", "q"),), "a", "b"), 0, lengths).rows == ()


def test_the_others_differ_from_the_canary_and_take_its_place() -> None:
    (row,) = plant(1, CHAT, 0, lengths).rows
    assert isinstance(row, Chat)
    others = other_secrets(row, 127)
    assert len({*others, row.meta[KEY]}) == 128
    assert with_secret(row, others[0]).messages[-1].content == others[0]


def test_exposure_is_log2_of_all_over_the_rank() -> None:
    # first of 128: 7 bits; 64th: 1 bit
    items = [Item("canary", str(rank), "tuned", "", "", "", {"rank": rank, "exposure": math.log2(128 / rank)})
             for rank in (1.0, 64.0)]  # fmt: skip
    found = exposure("tuned", items)
    assert found is not None
    assert (found.bits, found.first, found.canaries, found.most) == (4.0, 1, 2, 7.0)
    # by chance: 7 - log2(128!) / 128
    assert found.chance == pytest.approx(7 - math.lgamma(129) / math.log(2) / 128)
    assert exposure("tuned", []) is None


@pytest.mark.parametrize("like", [CHAT, Text("1", "t")])
def test_a_model_without_knowledge_ranks_canaries_by_chance(like: Row, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    checkpoint = read_checkpoint(write_model(tmp_path))
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    rows = [row for row in plant(4, like, 0, lengths).rows if isinstance(row, Chat | Text)]
    items = ask_canaries(decoder, make_renderer(checkpoint.tokenizer), "base", rows, lambda count: None)
    ranks = [item.scores["rank"] for item in items]
    assert all(1 <= rank <= OTHERS + 1 for rank in ranks)
    assert len(set(ranks)) > 1
    assert all(item.expected not in item.prompt for item in items if item.expected)
