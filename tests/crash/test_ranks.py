"""K5 and K6: the number of ranks changes; a rank is killed or stands still."""

from __future__ import annotations

import signal
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from burnish.core import pulse, world
from burnish.core.files import read_jsonl
from tests.crash.kinds import QUESTIONS, ROWS_PER_UPDATE, STEPS, Kind
from tests.crash.processes import LONGEST, all_ended, end_of, start
from tests.crash.trial import log_of, train_ranks
from tests.crash.watched import Watched, rows_by_update


def watched(log: Path, at: int, whose: int, number: int, rank: int) -> Watched:
    return Watched(rank, log, at, whose, number)


def train_watched(
    kind: Kind, folder: Path, log: Path, at: int = 0, whose: int = 0, number: int = signal.SIGTERM
) -> int:
    """Exit code of a start that gets a signal at its update `at`."""
    process = start(train_ranks, log_of(folder), kind, folder, partial(watched, log, at, whose, number))
    return end_of(process)


def test_two_ranks_then_one_then_three_learn_from_the_same_rows_with_the_same_losses(
    scratch: Path,
) -> None:
    kind, learnt = Kind(), list[list[int]]()
    assert train_watched(kind, scratch / "whole", scratch / "whole rows") == 0
    for ranks, at, code in ((2, 5, 75), (1, 6, 75), (3, 0, 0)):
        log = scratch / f"{ranks} rows"
        assert train_watched(replace(kind, ranks=ranks), scratch / "run", log, at, ranks - 1) == code
        learnt += rows_by_update(log)
    assert learnt == rows_by_update(scratch / "whole rows")
    assert len(learnt) == STEPS
    # 16 updates of 6 rows are 8 epochs of 11 rows and 8 rows more: each row once an epoch.
    seen = Counter(number for rows in learnt for number in rows)
    assert set(seen.values()) == {
        STEPS * ROWS_PER_UPDATE // len(QUESTIONS),
        STEPS * ROWS_PER_UPDATE // len(QUESTIONS) + 1,
    }
    whole, changed = (read_jsonl(scratch / name / "metrics.jsonl") for name in ("whole", "run"))
    assert [line["step"] for line in changed] == list(range(1, STEPS + 1))
    for one, other in zip(whole, changed, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-6)


def impatient(kind: Kind, folder: Path, log: Path, at: int, whose: int, number: int) -> None:
    """Trains with a heartbeat that waits 2 seconds instead of 40."""
    with patch.object(world, "start_pulse", partial(pulse.start_pulse, silent=2.0)):
        train_ranks(kind, folder, partial(watched, log, at, whose, number))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_rank_that_is_lost_ends_the_others_and_is_named(number: signal.Signals, scratch: Path) -> None:
    """A killed rank is named by the one that started it (here nobody); one that stands still, by the others."""
    kind = Kind(ranks=3)
    folder, begun = scratch / "run", time.monotonic()
    process = start(impatient, log_of(folder), kind, folder, scratch / "rows", 7, 2, number)
    process.join(LONGEST)
    assert process.exitcode == 1
    assert time.monotonic() - begun < 30
    said = log_of(folder).read_text()
    assert ("lost another rank" if number == signal.SIGKILL else "rank 2 has not answered") in said
    assert all_ended(process)
    end_of(process)
    # What was saved is whole: the run goes on.
    assert train_watched(kind, folder, scratch / "more rows") == 0
