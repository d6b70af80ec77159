import time

import pytest

from burnish.core.records import Chat, Message, Text
from burnish.data.normalised import normalised
from tests.grouping import asked_keys, prompt_keys, with_groups


def chat(*texts: str) -> Chat:
    turns = (Message("assistant" if index % 2 else "user", text) for index, text in enumerate(texts))
    return Chat(repr(texts), tuple(turns))


def groups(*rows: Chat | Text) -> list[str]:
    return [row.group for row in with_groups(rows, "train")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my card?", "where is my  card"),
        ("“Hello”, he said.", "hello he said"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("Straße", "STRASSE"),
    ],
)
def test_case_width_spacing_and_punctuation_do_not_count(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("3*4", "3+4"), ("3 - 4", "3 + 4"), ("is -4 even", "is 4 even"), ("3.14", "314"), ("C#", "C"), ("???", "!!!")],
)
def test_what_changes_the_question_counts(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_the_same_prompt_is_the_same_group_whatever_the_answer() -> None:
    first, second, third = groups(chat("Hi!", "a"), chat("hi", "b"), chat("bye", "a"))
    assert first == second != third


def test_a_conversation_is_a_duplicate_of_a_row_that_asks_one_of_its_turns() -> None:
    # the second row teaches an answer to "hi" as well; the third only shares its opening with the second
    first, second = groups(chat("hi", "a"), chat("hi", "b", "more", "c"))
    assert first == second
    one, other = groups(chat("hi", "b", "more", "c"), chat("hi", "b", "else", "c"))
    assert one != other
    assert set(prompt_keys(chat("hi", "b", "more", "c"))) & asked_keys([chat("hi", "a")])


def test_the_system_message_is_part_of_the_question() -> None:
    def with_system(text: str) -> Chat:
        return Chat("1", (Message("system", text), *chat("hi", "a").messages))

    one, other = groups(with_system("to German"), with_system("to French"))
    assert one != other


def test_groups_do_not_depend_on_the_order_of_rows() -> None:
    rows = [chat("hi", "b", "more", "c"), chat("x", "y"), chat("hi", "a"), chat("hi", "b", "more", "d")]
    assert groups(*rows) == groups(*reversed(rows))[::-1]


def test_plain_text_is_grouped_by_itself() -> None:
    first, second, third = groups(Text("1", "One text."), Text("2", "one text"), Text("3", "another"))
    assert first == second != third


def test_accents_without_end_take_no_time() -> None:
    """NFKC sorts them by the square of their number; what nobody can read needs no exact key."""
    started = time.process_time()
    normalised("a" + "\u0301\u0316" * 100_000)
    assert time.process_time() - started < 1
    assert normalised("ｅ\u0301té") == normalised("été")
