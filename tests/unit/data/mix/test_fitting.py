import pytest

from burnish.core.records import Text
from burnish.data.mix.fitting import SLACK, Shortened, left_out, most_that_fits


@pytest.mark.parametrize("bend", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("limit", [200, 900, 9_000])
def test_nearly_all_that_fits_is_found_in_a_few_tries(bend: float, limit: int) -> None:
    """Lengths that grow with the count, with its root and with its square."""
    high, tokens, tries = 10_000, 10_000, []

    def length_at(count: int) -> int:
        tries.append(count)
        return int(tokens * (count / high) ** bend)

    found = most_that_fits(1, high, limit, length_at, tokens)
    assert found is not None
    assert length_at(found) <= limit
    assert length_at(found) >= limit - limit // SLACK or length_at(found + 1) > limit
    assert len(tries) <= (6 if bend == 1 else 20)


def test_the_exact_count_of_a_few_large_things() -> None:
    lengths = [5, 40, 45, 200, 210]  # of the first 1, 2, … things
    for limit, count in ((5, 1), (39, 1), (44, 2), (199, 3), (209, 4)):
        assert most_that_fits(1, 5, limit, lambda count: lengths[count - 1], lengths[-1]) == count
    assert most_that_fits(1, 5, 4, lambda count: lengths[count - 1], lengths[-1]) is None


def test_a_row_left_out_says_how_long_it_is() -> None:
    row = Text("1", "a b", "f:3")
    assert left_out(row, 9, 8).detail == "9 tokens, context 8"
    record = left_out(row, 9, 8, "why")
    assert (record.source, record.reason, record.detail) == ("f:3", "too_long", "9 tokens, context 8: why")
    assert Shortened((row,)).made == Shortened((), dropped=(record,)).made == 0
    assert Shortened((row, row), dropped=(record,)).made == 2
