from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.core.run_folder import RunFolder

HOLD = """
import sys, time
from pathlib import Path
from burnish.core.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "one")
    folder.create()
    return folder


def hold(run: RunFolder) -> subprocess.Popen[str]:
    """Another process that holds the run."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_process_at_a_time_and_a_dead_one_leaves_no_lock(run: RunFolder) -> None:
    process = hold(run)
    try:
        with pytest.raises(BurnishError, match="Another process") as caught, run.lock():
            pass
        assert "--name" in caught.value.next_move
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with run.lock():
        pass


def test_the_lock_is_given_back_also_after_an_error(run: RunFolder) -> None:
    with pytest.raises(KeyError), run.lock():
        raise KeyError
    with run.lock(), pytest.raises(BurnishError, match="Another process"), run.lock():
        pass
    with run.lock():
        pass


def test_everything_lies_in_the_folder_of_the_run(run: RunFolder) -> None:
    paths = [value for value in (getattr(run, name) for name in dir(RunFolder)) if isinstance(value, Path)]
    assert len(paths) > 20
    assert all(path.is_relative_to(run.path) for path in paths)
    assert len(set(paths)) == len(paths)
    assert run.name == "one"


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BurnishError, match="Cannot write here"):
        RunFolder(tmp_path / "file" / "run").create()
    with pytest.raises(BurnishError, match="Cannot write here"):
        RunFolder(tmp_path / "file").create()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BurnishError, match="Cannot write here"):
        RunFolder(tmp_path / "run").create()
