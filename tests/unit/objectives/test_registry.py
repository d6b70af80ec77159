from __future__ import annotations

import pytest

from burnish.core.errors import RecipeError
from burnish.core.records import Chat, Message, Pair, Row, Text
from burnish.objectives.registry import check_row

ASKED = (Message("user", "q"),)
CHAT = Chat("1", (*ASKED, Message("assistant", "a")), "a.jsonl:1")
PAIR = Pair("2", ASKED, "a", "b", "a.jsonl:2")
TEXT = Text("3", "text", "a.txt:3")


@pytest.mark.parametrize(("objective", "row"), [("sft", CHAT), ("sft", TEXT), ("dpo", PAIR)])
def test_an_objective_takes_its_kind_of_row(objective: str, row: Row) -> None:
    check_row(objective, row)


@pytest.mark.parametrize(
    ("objective", "row", "fitting"), [("sft", PAIR, "dpo"), ("dpo", CHAT, "sft"), ("dpo", TEXT, "sft")]
)
def test_another_kind_is_refused_with_the_objective_that_fits(objective: str, row: Row, fitting: str) -> None:
    with pytest.raises(RecipeError, match=f"--set objective={fitting}") as caught:
        check_row(objective, row)
    assert caught.value.where == row.source
