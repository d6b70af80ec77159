import numpy as np

from burnish.core.records import Chat, Message, Text
from burnish.data.duplicates.leaks import Leak, leaks
from burnish.data.duplicates.near import near_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from tests.unit.data.duplicates.planting import chat, fingerprinted

SETTINGS = DuplicateSettings()
TEST = "why do the leaves of the old trees in the park fall slowly on the wet ground"
PASSAGE = "the quick brown fox jumps over the lazy dog while seven cats sleep under a warm red blanket"


def found(learnt: list[Chat | Text], held: list[Chat | Text], contained: float = 0.5) -> list[Leak]:
    fingerprints = fingerprinted([*learnt, *held])
    is_held = np.arange(len(fingerprints)) >= len(learnt)
    near = near_pairs(fingerprints, SETTINGS)
    return leaks(fingerprints, near, learnt_N=~is_held, held_N=is_held, contained=contained)


def kinds(learnt: list[Chat | Text], held: list[Chat | Text]) -> list[tuple[int, int, str]]:
    return [(leak.row, leak.held - len(learnt), leak.kind) for leak in found(learnt, held)]


def test_each_learnt_row_has_its_firmest_leak() -> None:
    learnt = [
        chat(TEST, "autumn"),
        chat("where is my card", "card"),
        chat(TEST.upper(), "winter"),
        chat(TEST.replace("wet", "dry"), "autumn"),
        chat("how can i get my card now", "order"),
    ]
    held = [chat("how do i get a card today", "order"), chat(TEST, "autumn")]
    assert kinds(learnt, held) == [(0, 1, "exact"), (2, 1, "same_prompt"), (3, 1, "near"), (4, 0, "few_words")]


def test_an_earlier_turn_that_teaches_the_answer_is_a_leak() -> None:
    messages = [Message("user", "hi"), Message("assistant", "b"), Message("user", "more"), Message("assistant", "c")]
    assert kinds([Chat("", tuple(messages))], [chat("Hi.", "a")]) == [(0, 0, "same_prompt")]
    assert kinds([chat("hi", "a")], [Chat("", tuple(messages))]) == []


def test_a_test_row_inside_a_longer_one_is_a_leak() -> None:
    long = Text("", f"once upon a time there was a story that went on and on: {PASSAGE} and so it ended at last")
    (leak,) = found([Text("", "nothing of the kind"), long], [chat(PASSAGE, "yes")])
    # 18 words are 11 runs of 8, and all of them are in the story
    assert (leak.row, leak.kind, leak.score) == (1, "contained", 1.0)
    assert leak.certain
    half = Text("", " ".join(PASSAGE.split()[:12]) + " are the first words of a text that goes on otherwise")
    assert found([half], [chat(PASSAGE, "yes")]) == []  # 12 words are 5 runs of 12
    assert [leak.score for leak in found([half], [chat(PASSAGE, "yes")], contained=0.4)] == [5 / 11]


def test_a_frame_of_many_rows_is_no_leak() -> None:
    learnt: list[Chat | Text] = [chat(f"{PASSAGE} says word{n} of the kind{n}", f"answer{n}") for n in range(40)]
    assert found(learnt, [chat(f"{PASSAGE} says another thing", "yes")]) == []


def test_a_label_that_differs_makes_another_row() -> None:
    assert found([chat("how do i top up by card", "card")], [chat("how do i top up by transfer", "transfer")]) == []


def test_items_of_a_benchmark_are_found_in_prompts() -> None:
    learnt: list[Chat | Text] = [chat(TEST.replace("slowly", "slow"), "because it is autumn"), chat("Who is it?", "me")]
    items = [Text("", "who is it"), Text("", TEST)]
    assert kinds(learnt, items) == [(0, 1, "near"), (1, 0, "same_prompt")]


def test_nothing_leaks_where_nothing_is_held_or_learnt() -> None:
    assert found([chat("hi", "a")], []) == []
    assert found([], [chat("hi", "a")]) == []
    assert found([], []) == []


def test_rows_with_the_words_of_a_near_pair_leak_too() -> None:
    changed = TEST.replace("wet", "dry")
    learnt: list[Chat | Text] = [chat(changed, "autumn"), chat(changed.upper() + "!", "autumn")]
    assert kinds(learnt, [chat(TEST, "autumn")]) == [(0, 0, "near"), (1, 0, "near")]


def test_leaks_do_not_need_near_pairs() -> None:
    fingerprints = fingerprinted([chat("hi", "a"), chat("hi", "a")])
    learnt = np.array([True, False])
    assert leaks(fingerprints, None, learnt_N=learnt, held_N=~learnt, contained=0.5) == [Leak(0, 1, "exact", 1.0)]


def test_a_question_quoted_without_its_answer_is_a_leak() -> None:
    """Its runs were counted among those of a long answer, of which a document that asks the same holds none."""
    answer = "because " + " ".join(f"reason{n} follows" for n in range(30))
    quoting = Text("", f"seen in an old exam paper {PASSAGE} and nobody knew what to say of it")
    (leak,) = found([quoting], [chat(PASSAGE, answer)])
    assert (leak.kind, leak.score) == ("contained", 1.0)
    # 18 words are 11 runs; without the last three words 8 of them are left, under the three quarters that are needed
    assert found([Text("", f"seen in {' '.join(PASSAGE.split()[:-3])} then")], [chat(PASSAGE, answer)]) == []
