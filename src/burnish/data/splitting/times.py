"""When a row was made, as a number that can be compared."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any


def time_of(value: Any) -> float:
    """Seconds for a date, a number as it is, NaN for what is neither.

    Dates are those of ISO 8601 (`2024-03-01`, `2024-03-01T12:00:00Z`), without a zone in UTC. Others, such as 03/01/24,
    are not read: nobody knows which number is the month.
    """
    match value:
        case bool():
            return math.nan
        case int() | float():
            return float(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        case date():
            return datetime.combine(value, time(), UTC).timestamp()
        case str():
            return _time_of_text(value.strip())
    return math.nan


def _time_of_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return time_of(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return math.nan
