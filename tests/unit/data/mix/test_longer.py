import pytest

from burnish.core.records import Chat, Pair, Prompt, Rated, Row, Text
from burnish.data.mix.longer import shorten
from burnish.data.mix.reasons import REASONS
from burnish.data.mix.settings import Longer
from tests.unit.data.mix.talks import length_of, talk, words

ROWS: list[Row] = [
    Chat("c", talk(30, 10, 30, 10)),
    Text("t", words(90)),
    Pair("p", talk(30, 10, 30), words(9), words(3)),
    Rated("r", talk(30, 10, 30), words(9), 1.0),
    Prompt("q", talk(30, 10, 40)),
]


@pytest.mark.parametrize("policy", ["drop", "split", "cut"])
def test_rows_that_fit_stay_as_they_are(policy: Longer) -> None:
    for row in ROWS:
        found = shorten(row, 100, length_of, policy)
        assert found.rows == (row,)
        assert found.changed == found.dropped == ()
        assert found.made == 0


@pytest.mark.parametrize(
    ("policy", "rows"),
    [("drop", [0, 0, 0, 0, 0]), ("split", [2, 2, 0, 0, 0]), ("cut", [1, 2, 1, 1, 1])],
)
def test_what_each_policy_makes_of_each_kind_of_row(policy: Longer, rows: list[int]) -> None:
    found = [shorten(row, 60, length_of, policy) for row in ROWS]
    assert [len(one.rows) for one in found] == rows
    assert all(len(one.dropped) == (not one.rows) and bool(one.changed) == bool(one.rows) for one in found)
    assert {record.reason for one in found for record in (*one.changed, *one.dropped)} <= REASONS.keys()
    assert all(length_of(row) <= 60 for one in found for row in one.rows)


def test_a_known_length_is_not_measured_again() -> None:
    def never(row: Row) -> int:
        raise AssertionError

    assert shorten(ROWS[0], 100, never, "cut", tokens=88).rows == (ROWS[0],)
    assert shorten(ROWS[0], 50, never, "drop", tokens=88).dropped[0].detail == "88 tokens, context 50"
