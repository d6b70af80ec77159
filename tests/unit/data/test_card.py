import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burnish.core.errors import BurnishError
from burnish.core.files import read_json, write_json
from burnish.data.card import DataCard, Duplicates, LicenceNote, PartFacts, Private, Tokens, limits, markdown
from burnish.data.card.facts import part_measured, read_card, summed
from burnish.data.card.text import escaped
from burnish.data.cleaning.outcome import Observation
from burnish.data.intake import Source
from burnish.data.shape import AnswerShape

SOURCE = Source("train", "tickets.csv", "ab" * 32, 900, 130, "columns", ("text", "label"), ("extra",), "Hi → praise")
PARTS = {
    "train": PartFacts(80, 78, Tokens(2000, 9, 20, 60, 90), learnt=100),
    "dev": PartFacts(20, 20, Tokens(500, 9, 20, 60, 80), learnt=25),
    "test": PartFacts(20, 20, Tokens(500, 9, 20, 60, 70), learnt=None),
}


def card(**more: Any) -> DataCard:
    """130 rows in, 10 dropped; everything was looked for and little was found."""
    values: dict[str, Any] = {
        "sources": (SOURCE,), "rows_in": 130, "parts": PARTS,
        "dropped": {"train": {"near_duplicate": 4, "not_json": 6}},
        "rows_cut": 0, "prompts_with_several_answers": 0, "own_test": True,
        "shape": AnswerShape("label", ("billing", "praise")), "instructions": None, "seed": 0, "context": 2048,
        "licence": "CC-BY-4.0", "duplicates": Duplicates(3, 7, 3, near=True),
        "private": Private("report", ("email", "name")),
    }  # fmt: skip
    return DataCard(**{**values, **more})


def test_a_card_comes_back_from_its_file(tmp_path: Path) -> None:
    whole = card(
        licences_found=(LicenceNote("LICENSE", "MIT"),), languages={"answer": {"en": 7}},
        observations=(Observation("a", "b"),),
        changed={"train": {"line_ends": 2}}, flagged={"dev": {"refusal": 1}}, made_by={"m": 3}, kinds={"chat": 120},
    )  # fmt: skip
    write_json(tmp_path / "card.json", whole.to_json())
    assert read_card(tmp_path / "card.json") == whole


def test_a_card_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    old = card().to_json()
    for field in dataclasses.fields(DataCard):
        if field.name in ("changed", "flagged", "licence", "private", "duplicates", "kinds"):
            del old[field.name]
    write_json(tmp_path / "card.json", old)
    assert read_card(tmp_path / "card.json").private is None


def test_a_damaged_card_is_refused_with_its_place(tmp_path: Path) -> None:
    write_json(tmp_path / "card.json", {**card().to_json(), "rows_in": "many"})
    with pytest.raises(BurnishError) as raised:
        read_card(tmp_path / "card.json")
    assert "rows_in" in raised.value.seen
    assert read_json(tmp_path / "card.json")["rows_in"] == "many"


def test_lengths_are_measured_once() -> None:
    # of 1 … 100: the 51st is the median, the 96th has 95 % below it
    assert part_measured(np.arange(100, 0, -1), groups=90, learnt=50) == PartFacts(
        100, 90, Tokens(5050, 1, 51, 96, 100), 50
    )


def test_the_share_of_learnt_tokens_is_that_of_train() -> None:
    assert card().learnt_share == pytest.approx(100 / 2000)
    assert card(parts={"train": PARTS["test"]}).learnt_share is None


def test_reasons_of_all_parts_are_added_up() -> None:
    assert summed({"train": {"a": 1, "b": 2}, "dev": {"a": 2}}) == {"a": 3, "b": 2}


def test_the_text_says_every_figure() -> None:
    text = markdown(
        card(
            licences_found=(LicenceNote("LICENSE", "Permission is granted"),),
            changed={"train": {"line_ends": 12}},
            flagged={"train": {"refusal": 13, "private_email": 14, "leak_near": 15}},
            languages={"answer": {"en": 75, "de": 25}},
            made_by={"paraphraser": 16},
            searched=("mmlu.jsonl",),
        )
    )
    for part in (
        "130 rows in = 80 train + 20 dev + 20 test + 10 dropped", "100 (5.0%)", "not counted", "CC-BY-4.0",
        "Permission is granted", "| line\\_ends | 12 |", "| refusal | 13 |", "| email | 14 |",
        "| kept | leak\\_near | 15 |",
        "3 clusters of two rows and more hold 7 rows", "| answer | en | 75 | 75.0% |", "paraphraser wrote: 16",
        "mmlu.jsonl", "2 labels: billing, praise",
    ):  # fmt: skip
        assert part in text


HOSTILE = "<script>x</script> | [click](http://x) `code` *bold* &amp; \u202e\x1b[31m\nnew line # head"


def test_no_text_of_the_data_acts_in_the_card() -> None:
    line = escaped(HOSTILE)
    assert not set(line) & set("<>\n\x1b\u202e")
    for sign in "|[]`*#":
        assert line.count(sign) == line.count(f"\\{sign}")
    text = markdown(
        card(
            sources=(dataclasses.replace(SOURCE, file=HOSTILE, first_row=HOSTILE, keys=(HOSTILE,)),),
            shape=AnswerShape("label", (HOSTILE, "b")),
            licence=HOSTILE,
            licences_found=(LicenceNote(HOSTILE, HOSTILE),),
            observations=(Observation("unbalanced_labels", HOSTILE),),
            made_by={HOSTILE: 1},
            searched=(HOSTILE,),
        )
    )
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\nnew line" not in text


def said(**more: Any) -> str:
    return " ".join(limits(card(**more)))


def test_what_is_in_order_is_no_limit() -> None:
    # Dropped rows are 6 broken ones and 4 near duplicates of 130: 8 %, which is worth a sentence; so is the small share
    # of learnt tokens.
    parts = {name: dataclasses.replace(part, learnt=400) for name, part in PARTS.items()}
    assert limits(card(dropped={}, parts=parts)) == ()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"licence": None}, "No licence was stated"),
        ({"own_test": False}, "The test was split off the same files"),
        ({"test_can_show": "20 rows can show a gain of 38 points"}, "gain of 38 points"),
        ({"private": None}, "Nobody looked for private data"),
        ({"private": Private("off", ("email",))}, "Nobody looked for private data"),
        ({"private": Private("report", ("email",))}, "Names of persons were not looked for"),
        ({"flagged": {"train": {"private_email": 3}}}, "3 × an e-mail address"),
        ({"flagged": {"train": {"leak_near": 2}, "dev": {"leak_near": 1}}}, "were kept: 3. If they leak"),
        ({"flagged": {"train": {"refusal": 5}}}, "Doubts that were reported and the rows kept: 5"),
        ({"duplicates": None}, "differ in a few words were not looked for"),
        ({"duplicates": Duplicates(3, 70, 60, near=True, loosened=60)}, "nothing to test on: 60"),
        ({"languages": {"answer": {"en": 95, "de": 5}}}, "The answers are in one language (en)"),
        ({"languages": {"prompt": {"en": 50, "de": 50}}}, "several languages (de 50%, en 50%)"),
        ({}, "8% of the rows were left out"),
        ({"dropped": {"train": {"not_sampled": 90}}}, "90 of 130 rows were not looked at"),
        ({"prompts_with_several_answers": 2}, "Prompts with more than one label: 2"),
        ({}, "Only 5.0% of the tokens are learnt"),
        ({"made_by": {"m": 9}}, "that a model wrote (m): 9"),
        ({"observations": (Observation("some_fact", "seen so"),)}, "Some fact: seen so."),
    ],
)  # fmt: skip
def test_each_figure_that_limits_has_its_sentence(more: dict[str, Any], sentence: str) -> None:
    assert sentence in said(**more)


def test_what_the_user_left_out_is_no_fault_of_the_data() -> None:
    assert "left out, " not in said(dropped={"train": {"review_drop": 60, "not_sampled": 60}})
