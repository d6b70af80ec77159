from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from burnish.server.tuning.child import Child, birth, exit_code, is_at_work, send, start_child


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_child_is_at_work_until_it_has_ended_and_says_how(tmp_path: Path) -> None:
    child = start_child(["no-such-verb"], tmp_path, tmp_path / "log.txt")
    assert is_at_work(child)
    assert soon(lambda: not is_at_work(child))
    assert exit_code(child) == 2
    assert "no-such-verb" in (tmp_path / "log.txt").read_text()


def test_the_servers_key_is_not_handed_on(tmp_path: Path) -> None:
    os.environ["BURNISH_API_KEY"] = "a secret of the server"
    try:
        child = start_child(["doctor"], tmp_path, tmp_path / "log.txt")
        environment = Path(f"/proc/{child.pid}/environ")
        if environment.exists():
            assert soon(lambda: b"PATH=" in environment.read_bytes())
            assert b"BURNISH_API_KEY" not in environment.read_bytes()
        send(child, signal.SIGKILL)
        assert soon(lambda: not is_at_work(child))
        assert exit_code(child) == -signal.SIGKILL
    finally:
        del os.environ["BURNISH_API_KEY"]


def test_another_server_finds_it_again_without_its_number(tmp_path: Path) -> None:
    """The lock is inherited: it is held as long as the child is there."""
    child = start_child(["doctor"], tmp_path, tmp_path / "log.txt")
    found = Child(tmp_path, None, None)
    assert is_at_work(found)
    send(found, signal.SIGKILL)  # whom it would reach is not known, so nobody
    assert is_at_work(child)
    again = Child(tmp_path, child.pid, child.born)
    send(again, signal.SIGKILL)
    assert soon(lambda: exit_code(child) == -signal.SIGKILL)
    assert not is_at_work(found)
    assert exit_code(again) is None


def test_a_stranger_that_has_its_number_by_now_is_left_alone(tmp_path: Path) -> None:
    """The lock is held by a child that is still there; the number in the record is another process's."""
    child = start_child(["doctor"], tmp_path, tmp_path / "log.txt")
    time.sleep(0.05)  # a birth is told in hundredths of a second
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        send(Child(tmp_path, stranger.pid, child.born), signal.SIGKILL)
        time.sleep(0.1)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        send(child, signal.SIGKILL)
        soon(lambda: not is_at_work(child))


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    assert birth(os.getpid()) == birth(os.getpid()) is not None
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert birth(gone.pid) is None
