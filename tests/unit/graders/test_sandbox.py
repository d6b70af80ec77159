"""What a hostile program cannot do. Tests of fences that this machine does not allow are skipped with that reason."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from burnish.graders.sandbox import Ended, fences, run_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no sandbox on Windows")


@pytest.fixture(scope="module")
def standing() -> tuple[str, ...]:
    return fences()


def run(program: str, seconds: float = 10.0) -> Ended:
    return run_python(program, seconds=seconds, memory_mb=512)


def test_a_program_runs_and_its_end_is_told() -> None:
    assert run("print('done')") == Ended(0, "done\n")
    assert run("raise SystemExit(3)").code == 3
    assert "ZeroDivisionError" in run("1 / 0").printed


def test_time_is_limited_also_of_what_a_program_starts() -> None:
    started = time.monotonic()
    assert run("while True: pass", seconds=0.5).code is None
    assert run("import os, time\nos.fork()\nos.setsid()\ntime.sleep(30)", seconds=0.5).code != 0
    assert time.monotonic() - started < 8


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not hold this limit")
def test_memory_is_limited() -> None:
    assert run("x = bytearray(10**9)").code != 0


def test_output_and_files_are_limited() -> None:
    assert run("while True: print('a' * 10000)").code != 0
    assert run("open('x', 'wb').write(bytes(10**8))").code != 0


def test_the_environment_and_the_folder_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    program = "import os\nprint('SECRET_TOKEN' in os.environ, sorted(os.listdir()))"
    assert run(program).printed == "False ['program.py']\n"


def test_installed_packages_are_out_of_reach() -> None:
    assert "ModuleNotFoundError" in run("import numpy").printed


def test_there_is_no_input() -> None:
    assert "EOFError" in run("input()").printed


def test_there_is_no_network(standing: tuple[str, ...]) -> None:
    if "network" not in standing:
        pytest.skip("this kernel gives a user no namespace of the network")
    assert "unreachable" in run("import socket\nsocket.create_connection(('127.0.0.1', 9), 1)").printed


def test_nothing_is_written_outside_the_folder(standing: tuple[str, ...], tmp_path: Path) -> None:
    if "files" not in standing:
        pytest.skip("this kernel gives a user no namespace of mounts")
    file = tmp_path / "kept.txt"
    file.write_text("kept")
    for program in (f"open({str(file)!r}, 'w')", f"import os\nos.remove({str(file)!r})", "open('/tmp/made', 'w')"):
        assert "Read-only file system" in run(program).printed
    assert file.read_text() == "kept"


def test_other_processes_cannot_be_ended(standing: tuple[str, ...]) -> None:
    if "processes" not in standing:
        pytest.skip("this kernel gives a user no namespace of processes")
    assert "ProcessLookupError" in run(f"import os\nos.kill({os.getpid()}, 0)").printed
    assert "ProcessLookupError" in run("import os\nos.kill(-1, 9)").printed
