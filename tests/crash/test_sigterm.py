"""SIGTERM at random moments: 75, no step lost, the same bytes in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.conftest import Expected
from tests.crash.kinds import Kind
from tests.crash.stops import stop_at_random

STOPS = 2  # of each kind


@pytest.mark.parametrize("kind", [Kind(), Kind(method="full", ranks=2)], ids=str)
def test_sigterm_costs_no_step(kind: Kind, scratch: Path, expected_of: Expected) -> None:
    tally = stop_at_random(kind, STOPS, 0, scratch, expected_of(kind).left)
    assert tally.stops == STOPS
    assert tally.faults == []
