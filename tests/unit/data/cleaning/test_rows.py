from __future__ import annotations

from random import Random

import pytest

from burnish.core.records import Chat, Message, Pair, Rated, Row, Text
from burnish.data.cleaning.outcome import named
from burnish.data.cleaning.places import undo
from burnish.data.cleaning.reasons import REASONS
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from tests.unit.data.cleaning.rows_of import chat

DAMAGED = chat("Where is the cafÃ©?\r\n", "Over\u200b there:\x00 cafe\u0301")


def test_a_sound_row_is_the_same_row() -> None:
    row = chat("Where is the café?", "Over there.")
    cleaned = clean_row(row, CleanSettings())
    assert cleaned.row is row
    assert (cleaned.changed, cleaned.flagged, cleaned.dropped) == ((), (), None)


def test_every_repair_is_recorded_with_its_place() -> None:
    cleaned = clean_row(DAMAGED, CleanSettings())
    assert cleaned.row == chat("Where is the café?\n", "Over there: café")
    assert [(one.reason, one.path) for one in cleaned.changed] == [
        ("encoding_damage", "messages.0.content"),
        ("line_ends", "messages.0.content"),
        ("control_characters", "messages.1.content"),
        ("decomposed_letters", "messages.1.content"),
    ]


def test_any_repairs_can_be_taken_back() -> None:
    rng = Random(0)
    pieces = (
        "cafÃ©",
        "\r\n",
        "\u200b",
        "e\u0301",
        "plain ",
        "\x00",
        "’",
        "â€™",
        "\u2028",
        "\ufeff",
        "🚀",
        "\x1b[1m",
        "ΓÇÖ",
    )

    def text() -> str:
        return "x" + "".join(rng.choices(pieces, k=rng.randint(0, 6)))

    settings = CleanSettings(echo="repair")
    for _ in range(300):
        asked = (Message("user", text()),)
        rows: list[Row] = [
            Chat("1", (*asked, Message("assistant", text()))),
            Text("1", text()),
            Pair("1", asked, text(), text()),
            Rated("1", asked, text(), score=False),
        ]
        for row in rows:
            cleaned = clean_row(row, settings)
            assert cleaned.row is not None
            assert undo(cleaned.row, cleaned.changed) == row
            assert clean_row(cleaned.row, settings).changed == ()


def test_flag_keeps_the_row_as_it_is_and_says_where() -> None:
    cleaned = clean_row(DAMAGED, CleanSettings(encoding="flag", line_ends="off", controls="off", decomposed="off"))
    assert cleaned.row == DAMAGED
    assert [(one.reason, one.detail) for one in cleaned.flagged] == [
        ("encoding_damage", "messages.0.content, character 17")
    ]


def test_drop_leaves_the_row_out_with_its_content() -> None:
    cleaned = clean_row(DAMAGED, CleanSettings(encoding="drop"))
    assert cleaned.row is None
    assert cleaned.dropped is not None
    assert (cleaned.dropped.reason, cleaned.dropped.source) == ("encoding_damage", "rows.jsonl:1")
    assert cleaned.dropped.row == DAMAGED.to_json()


def test_a_message_of_nothing_but_invisible_characters_drops_its_row() -> None:
    cleaned = clean_row(chat("ask", "\u200b\ufeff"), CleanSettings())
    assert cleaned.dropped is not None
    assert cleaned.dropped.reason == "nothing_left"


def test_doubts_about_answers_are_flagged() -> None:
    prompt = "What do you think of the weather in Hamburg this year?"
    row = Chat(
        "1",
        (
            Message("user", prompt),
            Message("assistant", "As an AI language model, I have no opinion."),
            Message("user", prompt),
            Message("assistant", f"{prompt} I\ufffdm sorry."),
            Message("user", prompt),
            Message("assistant", "I'm sorry, but I can't help with that."),
        ),
    )
    flagged = clean_row(row, CleanSettings()).flagged
    assert [(one.reason, one.detail.partition(",")[0].partition(":")[0]) for one in flagged] == [
        ("lost_characters", "messages.3.content"),
        ("boilerplate_answer", "messages.1.content"),
        ("echoed_prompt", "messages.3.content"),
        ("refusal", "messages.5.content"),
    ]
    assert all(one.reason in REASONS for one in flagged)


def test_an_echo_is_cut_off_on_request() -> None:
    prompt = "What do you think of the weather in Hamburg this year?"
    cleaned = clean_row(chat(prompt, f"{prompt}\n\nIt rains."), CleanSettings(echo="repair"))
    assert cleaned.row == chat(prompt, "It rains.")
    assert [one.reason for one in cleaned.changed] == ["echoed_prompt"]


@pytest.mark.parametrize(
    "row",
    [
        Pair("1", (Message("user", "ask"),), "Fine.", "I'm sorry, but I can't help with that."),
        Rated("1", (Message("user", "ask"),), "I'm sorry, but I can't help with that.", score=False),
        Chat(
            "1",
            (
                Message("user", "ask"),
                Message("assistant", "I'm sorry, but I can't help with that.", trained=False),
                Message("user", "ask"),
                Message("assistant", "Fine."),
            ),
        ),
    ],
)
def test_a_refusal_that_is_not_to_be_learnt_is_no_doubt(row: Row) -> None:
    assert clean_row(row, CleanSettings()).flagged == ()


def test_the_id_after_all_repairs_reaches_the_records() -> None:
    cleaned = named(clean_row(DAMAGED, CleanSettings()), "new")
    assert cleaned.row is not None
    assert {cleaned.row.id, *(one.id for one in cleaned.changed)} == {"new"}
