import json
from functools import partial

from burnish.core.records import Chat, Message, ToolCall
from burnish.data.private.settings import PrivateSettings
from burnish.data.review.words import MARGIN, as_it_is, difference, hidden_row, hider, shown, visible
from tests.unit.data.review.conftest import CARD_NUMBER, EMAIL

HIDE = hider(PrivateSettings())


def test_private_data_is_masked_before_a_text_is_cut() -> None:
    # Cut first, the text would end on the first 9 of 19 characters of the number.
    text = "x" * 91 + f" {CARD_NUMBER} and more"
    assert CARD_NUMBER[:4] not in shown(text, HIDE, 101)
    assert "[EMAIL_1]" in shown(f"Write to {EMAIL}", HIDE, 100)


def test_a_long_text_is_cut_and_says_how_long_it_is() -> None:
    assert shown("x" * 2000, as_it_is, 10) == "xxxxxxxxxx … (2,000 characters in all)"
    assert shown("x" * (MARGIN + 20), as_it_is, 10).endswith("(8,020 characters in all)")
    assert shown("x" * 10, as_it_is, 10) == "x" * 10


def test_signs_that_nobody_sees_are_spelt_out() -> None:
    assert visible("a\u202eb\x00c\x1b[1m\u200b\ud800") == "a\\u202eb\\u0000c\\u001b[1m\\u200b\\ud800"
    assert visible("l\r\nm\tn") == "l\nm\tn"
    family = "👨\u200d👩 می\u200cخواهم"
    assert visible(family) == family


def test_a_difference_is_shown_with_what_is_around_it() -> None:
    before, after = difference("a" * 100 + "Ã©" + "b" * 100, "a" * 100 + "é" + "b" * 100, around=3)
    assert (before, after) == ("… aaaÃ©bbb …", "… aaaébbb …")
    assert difference("same", "same") == ("same", "same")
    assert difference("aa", "aaa") == ("aa", "aaa")


def test_a_row_without_its_private_data_keeps_its_form() -> None:
    call = ToolCall("find", json.dumps({"card": CARD_NUMBER, "mail": EMAIL}))
    row = Chat("1" * 16, (Message("user", EMAIL), Message("assistant", "", (call,))), "f:1", "g")
    hidden = hidden_row(row, partial(HIDE))
    assert EMAIL not in json.dumps(hidden.to_json())
    assert CARD_NUMBER not in json.dumps(hidden.to_json())
    assert isinstance(hidden, Chat)
    assert json.loads(hidden.messages[1].tool_calls[0].arguments).keys() == {"card", "mail"}
    assert (hidden.id, hidden.group, hidden.source) == (row.id, row.group, row.source)
