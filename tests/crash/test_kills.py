"""K1. The full size: python -m tests.crash --kills 500."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.conftest import Expected
from tests.crash.kills import kill_at_random
from tests.crash.kinds import KINDS, Kind

KILLS = {"sft": 2, "dpo": 1}  # of each kind; the command does hundreds


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_run_that_was_killed_ends_in_the_same_bytes(kind: Kind, tmp_path: Path, expected_of: Expected) -> None:
    tally = kill_at_random(kind, KILLS[kind.objective], 0, tmp_path, expected_of(kind))
    assert tally.kills == KILLS[kind.objective]
    assert tally.different == []
