from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from burnish.core.errors import BurnishError
from burnish.core.records import Chat, Dropped, Flagged, Message, ToolCall
from burnish.data.cleaning.outcome import Cleaned
from burnish.data.cleaning.places import undo
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.private.reasons import REASONS
from burnish.data.private.rows import masked_value, protect, shown
from burnish.data.private.settings import PrivateSettings

SECRETS = ("anna@web.de", "4111 1111 1111 1111", "Sommer2024")
ROW = Chat(
    "1",
    (
        Message("user", "I am anna@web.de,\r\nmy card is 4111 1111 1111 1111, my password is Sommer2024."),
        Message("assistant", "", (ToolCall("send", '{"to": "anna@web.de"}'),)),
        Message("tool", "sent"),
        Message("assistant", "I wrote to anna@web.de."),
    ),
    "rows.jsonl:1",
)


def protected(action: str, clean: CleanSettings | None = None) -> Cleaned:
    return protect(clean_row(ROW, clean or CleanSettings()), PrivateSettings.model_validate({"action": action}))


def everything(cleaned: Cleaned) -> str:
    """All that could be written to a file of this outcome."""
    rows = [cleaned.row.to_json()] if cleaned.row else []
    records: Iterable[object] = (*cleaned.changed, *cleaned.flagged, *([cleaned.dropped] if cleaned.dropped else []))
    return json.dumps([*rows, *(vars(one) for one in records)])


def test_report_names_kinds_and_places_and_never_the_secret() -> None:
    cleaned = protected("report")
    assert [(one.reason, one.detail) for one in cleaned.flagged] == [
        ("private_email", "messages.0.content, character 6"),
        ("private_card", "messages.0.content, character 30"),
        ("private_password", "messages.0.content, character 66"),
        ("private_email", "messages.1.tool_calls.0.function.arguments, character 9"),
        ("private_email", "messages.3.content, character 12"),
    ]
    assert all(one.reason in REASONS for one in cleaned.flagged)
    assert not any(secret in str(one) for one in cleaned.flagged for secret in SECRETS)


def test_mask_leaves_the_secret_in_no_row_and_no_record() -> None:
    """The repair of the line end kept the whole text as it was: that is masked too."""
    cleaned = protected("mask")
    assert isinstance(cleaned.row, Chat)
    assert cleaned.row.messages[0].content == "I am [EMAIL_1],\nmy card is [CARD_1], my password is [PASSWORD_1]."
    assert cleaned.row.messages[1].tool_calls[0].arguments == '{"to": "[EMAIL_1]"}'
    assert cleaned.row.answer == "I wrote to [EMAIL_1]."
    assert [one.reason for one in cleaned.changed] == ["line_ends"] + ["private_data_masked"] * 3
    assert not any(secret in everything(cleaned) for secret in SECRETS)


def test_a_mask_cannot_be_taken_back() -> None:
    cleaned = protected("mask")
    assert cleaned.row is not None
    with pytest.raises(BurnishError, match="mask"):
        undo(cleaned.row, cleaned.changed)


def test_drop_leaves_the_row_out_with_its_secrets_masked() -> None:
    cleaned = protected("drop")
    assert cleaned.row is None
    assert cleaned.dropped is not None
    assert cleaned.dropped.reason == "private_data"
    assert cleaned.dropped.detail.startswith(
        "messages.0.content: an e-mail address, a payment card number, a password; "
    )
    assert not any(secret in everything(cleaned) for secret in SECRETS)


def test_a_row_that_another_step_dropped_keeps_no_secret_either() -> None:
    assert not any(secret in everything(protected("mask", CleanSettings(line_ends="drop"))) for secret in SECRETS)


def test_what_could_not_be_read_is_masked_in_its_detail_too() -> None:
    dropped = Dropped("rows.jsonl:1", "not_json", "Expecting ',': anna@web.de", "{anna@web.de")
    cleaned = protect(Cleaned(None, dropped=dropped), PrivateSettings(action="mask"))
    assert cleaned.dropped == Dropped("rows.jsonl:1", "not_json", "Expecting ',': [EMAIL_1]", "{[EMAIL_1]")


def test_off_changes_nothing() -> None:
    cleaned = clean_row(ROW, CleanSettings())
    assert protect(cleaned, PrivateSettings(action="off")) is cleaned


def test_any_json_value_can_be_masked() -> None:
    value = {"from": "anna@web.de", "lines": ["card 4111 1111 1111 1111", 7], "cc": "ANNA@web.de"}
    assert masked_value(value, PrivateSettings(action="mask")) == {
        "from": "[EMAIL_1]",
        "lines": ["card [CARD_1]", 7],
        "cc": "[EMAIL_1]",
    }


def test_a_value_nested_too_deeply_is_not_passed_on() -> None:
    value: object = "anna@web.de"
    for _ in range(100_000):
        value = [value]
    assert masked_value(value, PrivateSettings(action="mask")) is None


@pytest.mark.parametrize("action", ["report", "mask"])
def test_a_doubt_about_a_row_quotes_nothing_private(action: str) -> None:
    """A detail quotes the words that raised the doubt, and was written before the row was masked."""
    doubt = Flagged("rows.jsonl:1", "", "refusal", "messages.1.content: write to anna@web.de")
    cleaned = protect(Cleaned(ROW, flagged=(doubt,)), PrivateSettings.model_validate({"action": action}))
    assert cleaned.flagged[0].detail == "messages.1.content: write to [EMAIL_1]"


def test_a_row_is_shown_without_its_secrets_whatever_is_done_with_them() -> None:
    """The card of a run that only reports private data held the first row as it was, and so did the terminal."""
    for action in ("report", "mask", "drop"):
        row = shown(ROW, PrivateSettings.model_validate({"action": action}))
        assert not any(secret in json.dumps(row.to_json()) for secret in SECRETS)
    assert shown(ROW, PrivateSettings(action="off")) is ROW
