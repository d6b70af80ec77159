"""Puts a bug into a copy of the package and sees whether its tests fail.

Each bug is tried in a fork of this process, which has imported everything heavy and nothing of the package: that takes
a second instead of five. So this process must never import burnish.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tests.mutations.bugs import Bug

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "burnish"
SECONDS = 300  # a bug may make a test hang
FAILED = re.compile(r"^(?:FAILED|ERROR) tests/(.+)$", re.MULTILINE)
NOT_THE_COPY = 99


@dataclass(frozen=True)
class Outcome:
    """caught: a test failed, `seen` says which and why. broken: the tests did not run, which proves nothing."""

    state: Literal["caught", "NOT CAUGHT", "broken"]
    seen: str = ""


@contextmanager
def copied_package() -> Iterator[Path]:
    """A folder with a copy of the package, to be put before all others on the path."""
    with TemporaryDirectory(prefix="burnish-bugs-") as folder:
        shutil.copytree(PACKAGE, Path(folder) / "burnish", ignore=shutil.ignore_patterns("__pycache__"))
        yield Path(folder)


def occurrences(bug: Bug) -> int:
    """How often the text that the bug replaces stands in its file."""
    return (PACKAGE / bug.file).read_text("utf-8").count(bug.old)


def try_bug(bug: Bug, copy: Path) -> Outcome:
    """Puts the bug into the copy, runs its tests, and takes it out again."""
    file = copy / "burnish" / bug.file
    before = file.read_text("utf-8")
    file.write_text(before.replace(bug.old, bug.new), "utf-8")
    try:
        return run_tests(bug.tests, copy)
    finally:
        file.write_text(before, "utf-8")


def run_tests(tests: Sequence[str], copy: Path) -> Outcome:
    """Runs these tests against the copy of the package, up to the first that fails."""
    import peft  # noqa: F401 - once here instead of in every fork
    import pytest  # noqa: F401
    import transformers  # noqa: F401

    output = copy / "output.txt"
    fork = multiprocessing.get_context("fork").Process(target=_run_pytest, args=(tests, copy, output))
    fork.start()
    fork.join(SECONDS)
    if fork.exitcode is None:
        fork.kill()
        fork.join()
    said = output.read_text("utf-8", errors="replace")
    found = FAILED.search(said)
    if fork.exitcode == 1 and found:
        return Outcome("caught", found[1])
    if fork.exitcode == 0:
        return Outcome("NOT CAUGHT")
    return Outcome("broken", f"exit {fork.exitcode}: {said[-600:]}")


def _run_pytest(tests: Sequence[str], copy: Path, output: Path) -> None:
    """The fork: ends with pytest's exit code."""
    with output.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}  # for what the tests start
    os.environ["COLUMNS"] = "240"  # so that pytest does not cut its reasons
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    sys.path.insert(0, str(copy))
    import pytest

    import burnish

    if not Path(burnish.__file__).is_relative_to(copy):
        sys.exit(NOT_THE_COPY)
    names = [f"tests/{test}" for test in tests]
    options = ["-x", "-q", "-rfE", "-o", "addopts=", "--import-mode=importlib", "-p", "no:cacheprovider"]
    code = int(pytest.main([*options, *names]))
    sys.stdout.flush()
    os._exit(code)
