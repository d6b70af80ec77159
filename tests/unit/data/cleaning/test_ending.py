from __future__ import annotations

import time

import pytest

from burnish.data.cleaning.ending import CLOSED, CUT_MARK, HANGING, OPEN_FENCE, OPEN_JSON, UNFINISHED, ending_of

LONG = "This is a long enough answer about the weather of the north"


@pytest.mark.parametrize("end", [".", "!", "?", "。", ".”", ".)", ".**", " (as they say)", "....", ":"])
def test_a_sentence_that_ends_is_closed(end: str) -> None:
    assert ending_of(f"{LONG}{end}\n") == CLOSED


@pytest.mark.parametrize("end", [",", " and", " of the", " (", "...", "…", " -", " weil", " que"])
def test_a_sentence_that_needs_more_hangs(end: str) -> None:
    assert ending_of(LONG + end) == HANGING


def test_a_sentence_without_a_full_stop_is_unfinished() -> None:
    assert ending_of(LONG) == UNFINISHED


@pytest.mark.parametrize("mark", [" [truncated]", " [...]", " (continued)"])
def test_an_answer_may_say_that_it_was_cut(mark: str) -> None:
    assert ending_of(LONG + mark) == CUT_MARK


def test_an_open_code_block_is_seen_and_a_closed_one_is_fine() -> None:
    assert ending_of("Do this:\n```python\nprint(1)\n") == OPEN_FENCE
    assert ending_of("Do this and nothing else, please:\n```python\nprint(1)\n```") == CLOSED


def test_open_json_is_seen_and_closed_or_no_json_is_fine() -> None:
    assert ending_of('{"name": "Anna", "items": [1, 2') == OPEN_JSON
    assert ending_of('{"name": "An') == OPEN_JSON
    assert ending_of('{"name": "Anna"}') == 0
    assert ending_of("[brackets are no JSON, as in this sentence of some length]") == CLOSED


@pytest.mark.parametrize(
    "answer",
    [
        "card_arrival",
        "The list of all that you need for the trip:\n- a tent\n- a map",
        "The result of the long sum that was asked for is\n#### 42",
        "You find all that you asked about on this page:\nhttps://burnish.dev/docs",
        "x = [value * 2 for value in values if value > 3]; print(x, y, z)",
    ],
)
def test_labels_lists_links_and_code_need_no_full_stop(answer: str) -> None:
    assert ending_of(answer) in (0, CLOSED)


def test_a_word_of_a_million_letters_takes_no_time() -> None:
    """Looking for a call such as `f(` tried every letter as the start of its name, and each try ran to the end."""
    started = time.process_time()
    ending_of("x" * 1_000_000)
    assert time.process_time() - started < 1
