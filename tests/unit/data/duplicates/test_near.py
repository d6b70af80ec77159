import csv
import json
from pathlib import Path

import numpy as np
import pytest

from burnish.core.records import Text
from burnish.data.duplicates.near import ASKED, CLOSE, FEW, NearPairs, near_pairs, with_meaning
from burnish.data.duplicates.settings import DuplicateSettings
from tests.unit.data.duplicates.planting import Exchange, chat, fingerprinted, with_copies

SETTINGS = DuplicateSettings()
SEASON = "in autumn the leaves of the old trees in the park fall slowly on the wet ground"  # 17 words
ANSWER = "they do so because the days grow shorter and colder and the tree saves its water then"


def found(rows: list[Exchange], settings: DuplicateSettings = SETTINGS) -> dict[tuple[int, int], int]:
    near = near_pairs(fingerprinted(chat(*row) for row in rows), settings)
    return dict(zip(zip(near.one_P.tolist(), near.other_P.tolist(), strict=True), near.kind_P.tolist(), strict=True))


def test_a_fifth_of_the_words_may_differ_and_no_more() -> None:
    # 17 + 17 words: 6 of 34 are under a fifth, 8 are over it; the answers still agree in half of their words
    six = (SEASON.replace("old", "new").replace("wet", "dry"), ANSWER.replace("days", "suns").replace("water", "sap"))
    assert found([(SEASON, ANSWER), (six[0].replace("park", "lane"), six[1].replace("so", "that"))]) == {(0, 1): CLOSE}
    eight = (six[0].replace("leaves", "flies").replace("park", "lane"), six[1].replace("so", "that"))
    assert found([(SEASON, ANSWER), (eight[0], eight[1].replace("saves", "keeps"))]) == {}


def test_a_short_row_may_differ_in_three_words_if_its_answer_is_the_same() -> None:
    others = [("the machine swallowed it", "card"), ("hello there", "cash"), ("give money", "cash"), ("help", "cash")]
    rows = [("how can i get my card today", "card"), ("how do i get a card now", "card"), *others]  # 3 of 7 words
    assert found(rows) == {(0, 1): FEW}
    assert found([rows[0], (rows[1][0], "cash"), *others]) == {}
    assert found(rows, DuplicateSettings(few_words=2)) == {}
    short = [("how can i get it", "card"), ("how do you get this", "card")]  # 3 of 5 are over half
    assert found([*short, *others]) == {}


def test_a_long_answer_that_is_the_same_vouches_for_twice_as_many_words() -> None:
    """Of 16 words 6 differ: more than a fifth, more than three, no more than a half. With 7 words the answer may be
    anybody's."""
    asked, other = "one two three four five six seven eight", "one two red blue green white black grey"
    answer = "a restaurant by the river serves good tea"
    assert found([(asked, answer), (other, answer)]) == {(0, 1): FEW}
    short = answer.removesuffix(" tea")
    assert found([(asked, short), (other, short)]) == {}


def test_of_short_rows_only_the_nearest_are_pairs() -> None:
    rows = [
        ("how can i get my new card today", "card"),
        ("how can i get my old card today", "card"),  # 1 word from row 0
        ("where do i get my new card today", "card"),  # 2 words from row 0, 3 from row 1
    ]
    assert found(rows) == {(0, 1): CLOSE, (0, 2): FEW}
    assert found([rows[1], rows[2], ("help", "card")]) == {(0, 1): FEW}


def test_numbers_are_what_a_short_row_is_about() -> None:
    assert found([("What is 60 + 44 ?", "104"), ("What is 63 + 41 ?", "104")]) == {}


def test_another_answer_of_a_few_words_is_another_row() -> None:
    question = "In the text about the harbour of the old town, in which year was the lighthouse built?"
    rows = [(question, "1935"), (question.replace("built", "sold"), "It was never sold")]
    assert found(rows) == {(0, 1): ASKED}


def test_nearly_the_same_question_with_another_long_answer_only_asks_the_same() -> None:
    other = "nobody knows it well but the wind and the rain are said to have a large part in it"
    assert found([(SEASON, ANSWER), (SEASON.replace("wet", "dry"), other)]) == {(0, 1): ASKED}


def test_case_and_punctuation_make_no_pair_but_one_class() -> None:
    near = near_pairs(fingerprinted([chat("Hi there, you!", "Yes."), chat("hi there you", "yes")]), SETTINGS)
    assert near.same_N.tolist() == [0, 0]
    assert len(near) == 0


def test_a_frame_around_every_row_makes_no_two_alike() -> None:
    frame = "Below is an instruction that describes a task. Write a response that completes the request: {} Response:"
    rows = [(frame.format(f"what is a thing{n}"), f"thing{n} is of kind{n} and has colour{n}") for n in range(40)]
    assert found(rows) == {}
    assert found([*rows, (rows[7][0], rows[7][1].replace("has", "bears"))]) == {(7, 40): CLOSE}


def test_plain_texts_are_compared() -> None:
    near = near_pairs(fingerprinted([Text("", SEASON), Text("", SEASON.replace("wet", "dry"))]), SETTINGS)
    assert (near.one_P.tolist(), near.other_P.tolist(), near.kind_P.tolist()) == ([0], [1], [CLOSE])
    assert near.similarity_P.tolist() == pytest.approx([16 / 17])


def test_languages_without_spaces_are_compared() -> None:
    text = "我们的银行卡什么时候可以寄到家里请告诉我"
    assert found([(text, "是的"), (text.replace("家", "这"), "是的")]) == {(0, 1): CLOSE}


def test_nothing_is_near_nothing() -> None:
    assert found([]) == {}
    assert found([("hi", "a")]) == {}
    assert found([("", ""), ("?", "!"), ("a", "")]) == {}


def test_the_firmer_kind_of_a_pair_stays() -> None:
    near = near_pairs(fingerprinted([chat(SEASON, "a"), chat(SEASON + " then", "a"), chat("hi", "b")]), SETTINGS)
    one, other = np.array([0, 0]), np.array([1, 2])
    more = with_meaning(near, one, other, np.array([0.99, 0.97], np.float32))
    assert more.kind_P.tolist() == [CLOSE, 3]


def test_the_order_of_rows_does_not_count() -> None:
    rows, _ = with_copies([(f"where is my parcel number{n} from town{n % 7} today", "late") for n in range(30)], 30, 1)
    forwards, backwards = found(rows), found(rows[::-1])
    last = len(rows) - 1
    assert {(last - other, last - one): kind for (one, other), kind in backwards.items()} == forwards


def test_data_of_one_text_a_thousand_times_costs_a_few_pairs_a_row() -> None:
    rows = [(f"{SEASON} {n}", ANSWER) for n in range(2000)]
    near = near_pairs(fingerprinted(chat(*row) for row in rows), SETTINGS)
    assert len(near) < 30 * 2000


def recall(near: NearPairs, origin: dict[int, int]) -> float:
    pairs = set(zip(near.one_P.tolist(), near.other_P.tolist(), strict=True))
    same = near.same_N.tolist()
    ends = [sorted((same[copy], same[original])) for copy, original in origin.items()]
    return float(np.mean([one == other or (one, other) in pairs for one, other in ends]))


def unexplained(near: NearPairs, natural: NearPairs, origin: dict[int, int]) -> float:
    """Share of the pairs of a copy with a row that is neither its original nor near the original."""

    def root(row: int) -> int:
        return origin.get(row, row)

    known = set(zip(natural.one_P.tolist(), natural.other_P.tolist(), strict=True))
    pairs = [
        tuple(sorted((root(one), root(other))))
        for one, other in zip(near.one_P.tolist(), near.other_P.tolist(), strict=True)
        if one in origin or other in origin
    ]
    return float(np.mean([one != other and (one, other) not in known for one, other in pairs]))


@pytest.mark.data
@pytest.mark.parametrize("name", ["banking77", "dolly"])
def test_copies_with_one_to_three_words_changed_are_found_in_real_data(name: str, data_folder: Path) -> None:
    rows = banking77(data_folder) if name == "banking77" else dolly(data_folder)
    seeded, origin = with_copies(rows, len(rows) // 10, seed=8)
    near = near_pairs(fingerprinted(chat(*row) for row in seeded), SETTINGS)
    natural = near_pairs(fingerprinted(chat(*row) for row in rows), SETTINGS)
    assert recall(near, origin) >= 0.95
    assert unexplained(near, natural, origin) <= 0.1


def banking77(folder: Path) -> list[Exchange]:
    with (folder / "banking77/train.csv").open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def dolly(folder: Path) -> list[Exchange]:
    lines = (folder / "dolly_hhrlhf_small/dolly_hhrlhf_train_small.jsonl").read_text("utf-8").splitlines()
    return [(row["prompt"], row["response"]) for row in map(json.loads, lines)]
