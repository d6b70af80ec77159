import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from burnish.data.splitting.times import time_of

NOON = 1_709_294_400.0  # 2024-03-01 12:00 UTC


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        int(NOON),
        "1709294400",
        " 2024-03-01T12:00:00Z ",
        "2024-03-01 12:00",
        "2024-03-01T14:00:00+02:00",
        datetime(2024, 3, 1, 12),
        datetime(2024, 3, 1, 12, tzinfo=UTC),
        datetime(2024, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_times_are_read(value: object) -> None:
    assert time_of(value) == NOON


def test_a_date_is_its_first_moment() -> None:
    assert time_of("2024-03-01") == time_of(date(2024, 3, 1)) == NOON - 12 * 3600


@pytest.mark.parametrize("value", [None, "", "soon", "03/01/24", True, [], {"a": 1}, "2024-13-01", math.nan, "nan"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert math.isnan(time_of(value))
