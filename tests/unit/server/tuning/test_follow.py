from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.server.tuning.follow import PLANNED, Follower
from tests.unit.server.tuning.desks import AtDesk, append, job_at_desk


def step(n: int, **more: Any) -> dict[str, Any]:
    return {"step": n, "loss": 1.0 / n, "tokens": 10, **more}


def steps(at: AtDesk) -> list[int]:
    return [event["data"]["step"] for event in at.events() if event["type"] == "metrics"]


def follower(at: AtDesk) -> Follower:
    return Follower(at.desk.store, at.id, at.run)


def test_events_and_steps_come_once_and_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        before = len(at.events())
        append(at.run.events, {"what": "train begins"}, {"what": PLANNED, "steps": 3})
        append(at.run.metrics, step(1), step(2, dev_loss=0.5))
        following = follower(at)
        following.take_in()
        append(at.run.metrics, step(3))
        append(at.run.events, {"what": "train ends"})
        for _ in range(2):
            following.take_in()
            follower(at).take_in()  # and of a server that was started anew
        assert [event["message"] for event in at.events()[before:]] == [
            "Training begins",
            "Step 1/3: training loss=1.00",
            "Step 2/3: training loss=0.50, validation loss=0.50",
            "Step 3/3: training loss=0.33",
            "Training has ended, the weights that were best on the validation data are kept",
        ]
        assert at.events()[before + 2]["data"] == {
            "step": 2, "train_loss": 0.5, "total_steps": 3, "valid_loss": 0.5
        }  # fmt: skip


def test_steps_that_a_run_does_again_are_not_told_again(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        following = follower(at)
        append(at.run.metrics, step(1), step(2), step(3))
        following.take_in()
        again = at.run.path / "new"  # a checkpoint was older: its lines are written anew, in a new file
        append(again, step(1), step(2))
        again.rename(at.run.metrics)
        append(at.run.metrics, step(3), step(4))
        following.take_in()
        assert steps(at) == [1, 2, 3, 4]


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        following = follower(at)
        append(at.run.metrics, step(1), '{"step": 2, "lo')
        following.take_in()
        assert steps(at) == [1]
        append(at.run.metrics, 'ss": 0.5, "tokens": 1}\n', '{"torn by a crash\n', step(3))
        following.take_in()
        assert steps(at) == [1, 2, 3]


def test_what_could_not_be_stored_is_read_again(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        following = follower(at)
        append(at.run.metrics, step(1), {"step": 2, "loss": "no number"})
        with pytest.raises(ValueError, match="format"):
            following.take_in()
        assert steps(at) == []
        at.run.metrics.unlink()
        append(at.run.metrics, step(1), step(2))
        following.take_in()
        assert steps(at) == [1, 2]


def test_the_end_is_estimated_from_the_speed_of_the_last_steps(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        at.set(status="running", steps=12)
        append(at.run.metrics, step(1), step(2))
        append(at.run.timings, {"step": 1, "seconds": 100.0}, {"step": 2, "seconds": 200.0})
        follower(at).take_in()
        created, finish = at.job.created_at, at.job.estimated_finish
        assert finish is not None
        assert 1500 <= finish - created <= 1510  # ten steps of 150 s
        append(at.run.events, {"what": "train ends"})
        follower(at).take_in()
        assert at.job.estimated_finish is None, "how long the verdict takes is not known"
