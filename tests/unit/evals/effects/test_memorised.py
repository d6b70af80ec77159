"""Spans of train in answers."""

from __future__ import annotations

from burnish.core.records import Chat, Message, Pair, Text
from burnish.evals.effects.memorised import SPAN, learnt_texts, verbatim_words

SECRET = "the spare key of the boat house hangs behind the third board from the left side"  # 16 words


def test_the_longest_span_of_one_row_is_counted_in_words() -> None:
    answers = [
        ("Where?", f"Well, {SECRET} I think"),
        ("Where?", "I do not know where it is, sorry about that, my dear"),
    ]
    assert verbatim_words(answers, [f"Note: {SECRET}!", "another row"]) == ([16, 0], 2)


def test_thirteen_words_count_and_twelve_do_not() -> None:
    said = SECRET.split()
    found, _ = verbatim_words([("", " ".join(said[:13])), ("", " ".join(said[:12]))], [SECRET])
    assert (SPAN, found) == (13, [13, 0])


def test_what_stands_in_the_prompt_in_a_label_or_in_many_rows_is_not_counted() -> None:
    assert verbatim_words([(f"Say: {SECRET}", SECRET)], [SECRET])[0] == [0]
    assert verbatim_words([("", SECRET)], [SECRET], labels=[SECRET])[0] == [0]
    assert verbatim_words([("", SECRET)], [f"{n} {SECRET}" for n in range(2)])[0] == [16]
    assert verbatim_words([("", SECRET)], [f"{n} {SECRET}" for n in range(3)])[0] == [0]


def test_a_span_does_not_go_on_in_another_row() -> None:
    # 20 words, of which the first 14 stand in one row and the last 14 in another
    said = [f"w{n}" for n in range(20)]
    assert verbatim_words([("", " ".join(said))], [" ".join(said[:14]), " ".join(said[6:])])[0] == [14]


def test_only_what_is_learnt_is_searched() -> None:
    chat = Chat("1", (Message("user", "ask"), Message("assistant", "old", trained=False), Message("user", "more"),
                      Message("assistant", "new")))  # fmt: skip
    pair = Pair("2", (Message("user", "ask"),), "good", "bad")
    assert list(learnt_texts([chat, pair, Text("3", "plain")])) == ["new", "good", "plain"]
