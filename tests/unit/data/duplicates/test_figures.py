import numpy as np

from burnish.core.records import Text
from burnish.data.duplicates.figures import contradict
from burnish.data.duplicates.fingerprint import MOST_FIGURES
from burnish.data.duplicates.near import ASKED, CLOSE, near_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from tests.unit.data.duplicates.planting import chat, fingerprinted


def contradicted(one: str, other: str) -> bool:
    fingerprints = fingerprinted([Text("", one), Text("", other)])
    (answer,) = contradict(fingerprints, np.array([0]), np.array([1])).tolist()
    (turned,) = contradict(fingerprints, np.array([1]), np.array([0])).tolist()
    assert answer == turned
    return bool(answer)


def test_each_row_has_a_number_that_the_other_has_not() -> None:
    assert contradicted("order 17", "order 18")
    assert contradicted("from 3 to 5 for 7 days", "from 3 to 6 for 7 days")


def test_a_number_left_out_put_in_doubled_or_moved_contradicts_nothing() -> None:
    assert not contradicted("order 17", "order")
    assert not contradicted("order 17", "order 17 of 2")
    assert not contradicted("order 17", "order 17 17")
    assert not contradicted("3 and 5", "5 and 3")
    assert not contradicted("no number", "nor here")


def test_in_a_table_of_numbers_one_is_a_detail() -> None:
    table = " ".join(map(str, range(100, 100 + MOST_FIGURES + 1)))
    assert not contradicted(f"{table} 1", f"{table} 2")


def test_rows_of_one_template_about_different_numbers_only_ask_nearly_the_same() -> None:
    """Rows filled into a short template gave each other away: a test of their kind left nothing to learn from."""
    question = "please tell me where my parcel with number {} is right now"
    rows = [chat(question.format(n), "in the post") for n in range(20)]
    assert set(near_pairs(fingerprinted(rows), DuplicateSettings()).kind_P.tolist()) == {ASKED}
    rows.append(chat(question.format(7).replace("please", "kindly"), "in the post"))
    near = near_pairs(fingerprinted(rows), DuplicateSettings())
    firm = near.kind_P == CLOSE
    assert (near.one_P[firm].tolist(), near.other_P[firm].tolist()) == ([7], [20])


def test_a_question_about_another_number_is_another_question() -> None:
    question = (
        "a farmer who has {} cows on his field by the river sells half of them to the man next door how many stay"
    )
    near = near_pairs(fingerprinted([chat(question.format(12), "six"), chat(question.format(14), "seven")]),
                      DuplicateSettings())  # fmt: skip
    assert near.kind_P.tolist() == [ASKED]
