from dataclasses import replace

import numpy as np

from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Text
from burnish.data.duplicates.fingerprint import exact_duplicates, first_of
from burnish.data.group import prompt_keys
from tests.unit.data.duplicates.planting import chat, everything, fingerprinted


def test_the_first_of_equal_rows_is_found() -> None:
    hashes = np.array([[5, 1], [5, 2], [5, 1], [4, 1], [5, 2]], np.uint64)
    assert first_of(hashes).tolist() == [0, 1, 0, 3, 1]
    assert first_of(np.zeros((0, 2), np.uint64)).tolist() == []


def test_exact_duplicates_say_the_same_whatever_their_name_and_place() -> None:
    row = chat("hi", "a")
    named = replace(row, id="7", source="file:9", group="g")
    fingerprints = fingerprinted([row, chat("Hi", "a"), named, replace(row, tools=({"name": "f"},))])
    assert exact_duplicates(fingerprints, everything(fingerprints)).tolist() == [0, 1, 0, 3]
    assert exact_duplicates(fingerprints, np.array([False, True, True, True])).tolist() == [0, 1, 2, 3]


def test_prompts_are_told_apart_as_by_the_keys_of_groups() -> None:
    system = Message("system", "to German")
    turns = (Message("user", "hi"), Message("assistant", "b"), Message("user", "more"), Message("assistant", "c"))
    rows = [
        chat("hi", "a"),
        chat("Hi!", "b"),
        Chat("", turns),
        Chat("", (system, *turns[:2])),
        Text("", "hi"),
        Pair("", (Message("user", "hi"),), "x", "y"),
        Rated("", (Message("user", "hi"),), "x", True),
        Prompt("", (Message("user", "more"),)),
    ]
    fingerprints = fingerprinted(rows)
    old = [key for row in rows for key in prompt_keys(row)]
    new = fingerprints.keys.tolist()
    assert [[a == b for a in old] for b in old] == [[a == b for a in new] for b in new]
    assert np.diff(fingerprints.key_starts_N1).tolist() == [len(prompt_keys(row)) for row in rows]


def test_what_is_asked_and_answered_lie_apart() -> None:
    fingerprints = fingerprinted([chat("one two", "three"), Text("", "four five six")])
    assert fingerprints.words.lengths.tolist() == [2, 1, 3, 0]
    assert (fingerprints.answer_N == 0).tolist() == [False, True]
    assert fingerprinted([]).words.lengths.tolist() == []
