from dataclasses import replace

import pytest

from burnish.core.asking import Model
from burnish.core.records import Chat, Row
from burnish.data.duplicates.settings import DuplicateSettings
from burnish.data.grow.apart import keep_apart
from burnish.data.grow.made import Kind, Made
from tests.serving import chat

TRAIN: list[Row] = [
    chat("Where is the parcel that I ordered on the first Monday of May from your shop in Bremen?", "order_status", 0),
    chat("The lid of the blue pot does not shut any more since it fell down the stairs.", "defect_report", 1),
]
TEST: list[Row] = [
    chat("Can you tell me how long the delivery of a large wardrobe to the island of Sylt takes?", "delivery", 100)
]


def made(prompt: str, answer: str, number: int, kind: Kind = "paraphrase") -> Made:
    row = replace(chat(prompt, answer, number), id=f"made-{number}", source=f"{kind} of tickets.csv:{number}")
    return Made(row, kind, Model("m"), "row0", "tickets.csv:2")


def apart(*found: Made, near: str = "group") -> tuple[list[str], dict[str, str]]:
    """Ids that were kept; id → reason of the others."""
    settings = DuplicateSettings.model_validate({"near": near})
    kept, dropped = keep_apart(found, train=TRAIN, held=TEST, settings=settings)
    assert len(kept) + len(dropped) == len(found)
    return [one.row.id for one in kept], {one.row["id"]: one.reason for one in dropped}


def test_other_words_are_kept() -> None:
    assert apart(made("Has my order from Bremen of early May got lost on its way?", "order_status", 1)) == (
        ["made-1"],
        {},
    )


@pytest.mark.parametrize("near", ["group", "off"])
def test_what_train_says_already_is_left_out(near: str) -> None:
    again = made(
        "where is the parcel that i ordered on the first monday of may, from your shop in bremen", "order_status", 1
    )
    assert apart(again, near=near) == ([], {"made-1": "made_duplicate"})


def test_what_differs_from_train_in_a_word_is_left_out() -> None:
    prompt = "Where is the packet that I ordered on the first Monday of May from your shop in Bremen?"
    assert apart(made(prompt, "order_status", 1)) == ([], {"made-1": "made_duplicate"})


def test_of_two_made_rows_that_say_the_same_the_first_stays() -> None:
    prompt = "Has the order of early May that I placed with the people in Bremen got lost?"
    kept, dropped = apart(made(prompt, "order_status", 1), made(prompt.replace("people", "folks"), "order_status", 2))
    assert (kept, dropped) == (["made-1"], {"made-2": "made_duplicate"})


@pytest.mark.parametrize(
    "prompt",
    [
        "can you tell me how long the delivery of a large wardrobe to the island of sylt takes",
        "Can you tell me how long the delivery of a big wardrobe to the island of Sylt takes?",
    ],
)
def test_what_gives_away_the_test_is_left_out(prompt: str) -> None:
    assert apart(made(prompt, "delivery", 1)) == ([], {"made-1": "made_leak"})


def test_another_answer_to_a_prompt_of_the_test_is_a_leak_too() -> None:
    assert isinstance(TEST[0], Chat)
    assert apart(made(TEST[0].prompt[0].content, "something else entirely", 1)) == ([], {"made-1": "made_leak"})


def test_a_rewritten_answer_may_share_its_prompt_with_its_origin() -> None:
    assert isinstance(TRAIN[0], Chat)
    prompt, answer = TRAIN[0].prompt[0].content, "It is on its way from Bremen."
    kept, dropped = apart(made(prompt, answer, 1, "rewrite"), made(prompt, answer, 2, "rewrite"))
    assert (kept, dropped) == (["made-1"], {"made-2": "made_duplicate"})


def test_where_nothing_was_made_nothing_is_compared() -> None:
    assert keep_apart([], train=TRAIN, held=TEST, settings=DuplicateSettings()) == ([], [])
