from __future__ import annotations

from burnish.core.records import Message, Pair, Row
from burnish.data.cleaning.pair_lengths import length_bias
from burnish.data.cleaning.settings import CleanSettings
from tests.unit.data.cleaning.rows_of import features_of


def pairs(longer: int, shorter: int) -> list[Row]:
    lengths = [(40, 20)] * longer + [(20, 40)] * shorter
    asked = (Message("user", "q"),)
    return [Pair(str(n), asked, "c" * chosen, "r" * rejected) for n, (chosen, rejected) in enumerate(lengths)]


def test_chosen_answers_that_are_mostly_longer_are_told() -> None:
    """70 of 100: (0.7 - 0.5) / (0.5 / 10) = 4 standard errors."""
    (observation,) = length_bias(features_of(pairs(70, 30), CleanSettings(language="off")))
    assert (
        observation.detail
        == "the chosen answer is the longer one in 70% of 100 pairs, by the median 2.00 times as long"
    )


def test_a_small_or_chance_difference_is_not() -> None:
    """7 of 10 is 1.3 standard errors; 55 of 100 is one."""
    settings = CleanSettings(language="off")
    assert length_bias(features_of(pairs(7, 3), settings)) == []
    assert length_bias(features_of(pairs(55, 45), settings)) == []
