"""What lies on the disk: enough good checkpoints at any time, also when the disk is full."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish.core.errors import Stopped
from burnish.core.files import append_jsonl, read_jsonl
from burnish.train.checkpoint import OVERHEAD, newest_checkpoint, room_needed, save_checkpoint, steps_in
from burnish.train.saving import cut_lines
from tests.unit.train.conftest import MakeRun
from tests.unit.train.test_checkpoint import made


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_stops_with_75_and_the_bytes_needed_and_the_run_goes_on_when_there_is_room(
    make_run: MakeRun,
) -> None:
    whole, full = make_run("whole"), make_run("full", steps=8)
    whole.train()
    full.train()  # 8 of 12 steps
    full = make_run("full")
    with files_of_at_most(8_192), pytest.raises(Stopped, match="The disk is full") as caught:
        full.train()
    assert caught.value.exit_code == 75
    assert "bytes are needed" in caught.value.seen
    assert steps_in(full.run.checkpoints) == [4, 8]
    assert [path.name for path in full.run.checkpoints.iterdir() if "tmp" in path.name] == []
    full = make_run("full")
    full.train()
    assert full.said[0] == "going on after step 8"
    expected, got = read_jsonl(whole.run.metrics), read_jsonl(full.run.metrics)
    assert [line["step"] for line in got] == [line["step"] for line in expected]


@pytest.mark.parametrize("size", [1, 60, 200, 300])
def test_a_disk_that_is_full_for_metrics_leaves_a_line_that_the_resume_cuts(make_run: MakeRun, size: int) -> None:
    whole, full = make_run("whole"), make_run("full")
    whole.train()
    with files_of_at_most(size), pytest.raises(Stopped, match="The disk is full"):
        full.train()
    full = make_run("full")
    full.train()
    assert whole.run.metrics.read_bytes() == full.run.metrics.read_bytes()
    assert [line["step"] for line in read_jsonl(full.run.timings)] == list(range(1, 13))


def test_room_is_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    """60 bytes of a, 8 of b, 4 and 60 of the moments: half as much again, with the small files."""
    saved = made(4)
    tensors = [*saved.weights.values(), *saved.optimiser.values()]
    assert room_needed(tensors) == int(1.5 * (60 + 8 + 4 + 60 + OVERHEAD))
    huge = [tensors[0].expand(2**50, 3, 5)]  # takes no memory, and more than any disk
    saved.weights["huge"] = tensors[0].new_zeros(1).expand(1)
    assert room_needed(huge) > 2**50
    save_checkpoint(tmp_path, 4, made(4))
    found = newest_checkpoint(tmp_path, print)
    assert found is not None


def test_this_one_the_one_before_and_the_best_are_kept(make_run: MakeRun) -> None:
    dev = {"sky": "the line of the grass", "one": "parcel 🦊"}  # the longer training goes on, the worse these are
    tiny = make_run(steps=24, evaluate_every=2, save_every=3, rate=2e-2, dev=dev)
    progress = tiny.train()
    assert steps_in(tiny.run.checkpoints) == [progress.best_step, 22, 24]


def test_saves_by_the_clock_change_no_result(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, often = make_run("whole"), make_run("often")
    whole.train()
    monkeypatch.setattr("burnish.train.loop.LONGEST_UNSAVED", 0.0)  # the clock always says that it is time
    often.train()
    assert steps_in(whole.run.checkpoints) == [8, 12]
    assert steps_in(often.run.checkpoints) == [11, 12]
    assert whole.run.metrics.read_bytes() == often.run.metrics.read_bytes()
    assert (whole.run.checkpoints / "000012" / "weights.safetensors").read_bytes() == (
        often.run.checkpoints / "000012" / "weights.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("torn", [b"", b"{", b'{"step": 3', b'{"step": 3, "loss": 1', b"7", b"\xff\xfe", b"null"])
def test_lines_after_the_checkpoint_and_torn_ones_are_cut(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3):
        append_jsonl(path, {"step": step})
    path.write_bytes(path.read_bytes() + torn)
    cut_lines(path, 2)
    assert path.read_bytes() == b'{"step": 1}\n{"step": 2}\n'
