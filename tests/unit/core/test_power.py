import pytest

from burnish.core.power import can_show, power_of, rows_for, smallest_gain


def test_power_of_one_sided_changes_by_hand():
    # Nothing is lost, so every discordant item is a win: shown by 6 or more (2/2^6 < 0.05 < 2/2^5). n = 6: 0.9^6.
    assert power_of(0.9, 6, lost=0.0) == pytest.approx(0.9**6)


def test_the_smallest_gain_of_41_rows_without_a_loss_is_19_points():
    gain = smallest_gain(41, lost=0.0)
    assert gain == pytest.approx(0.186, abs=0.0005)
    assert "19 points if none does" in can_show(41)


def test_without_a_gain_the_test_keeps_its_level():
    assert power_of(0.0, 200) <= 0.025


def test_more_rows_show_smaller_gains():
    gains = [smallest_gain(n) for n in (20, 60, 200, 1000, 5_000)]
    assert gains == sorted(gains, reverse=True)


def test_rows_for_a_gain_are_enough_and_one_less_is_not():
    for gain in (0.05, 0.1, 0.3):
        n = rows_for(gain)
        assert power_of(gain, n) >= 0.8 > power_of(gain, n - 1)


@pytest.mark.parametrize("gain", [0.0, -0.1, 0.95])
def test_an_impossible_gain_is_refused(gain):
    with pytest.raises(ValueError, match="gain"):
        rows_for(gain)


def test_too_few_rows_say_so():
    assert smallest_gain(5) is None
    assert smallest_gain(0) is None
    assert can_show(5) == "5 rows are too few to show a gain reliably."
    assert can_show(1).startswith("1 row is")


def test_the_sentence_rounds_up():
    # smallest_gain(60) = 0.2004…
    assert can_show(60).startswith("60 rows can show a gain of 21 points or more")
