"""The tests notice bugs: the table of bugs fits the code, and two of them are tried here. All of them are tried by
`python -m tests.mutations`."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from itertools import permutations

import pytest

from burnish.core.files import sha256_of_tree
from tests.invariants.table import INVARIANTS
from tests.mutations.bugs import BUGS, Bug
from tests.mutations.check import PACKAGE, ROOT, occurrences

NAMES = [bug.name for bug in BUGS]


@pytest.mark.parametrize("bug", BUGS, ids=NAMES)
def test_a_bug_still_fits_the_code_and_names_tests_that_are_there(bug: Bug) -> None:
    assert occurrences(bug) == 1
    assert bug.old != bug.new
    for test in bug.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
        assert name.partition("[")[0] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_invariant_that_is_held_has_a_bug() -> None:
    assert len(NAMES) >= 24
    assert not [(one, other) for one, other in permutations(NAMES, 2) if one in other]  # `--only` must tell them apart
    held = {one.number for one in INVARIANTS if one.tests}
    assert {bug.invariant for bug in BUGS} == held


def test_two_bugs_are_noticed() -> None:
    """Which two follows from the code: another pair after every change, the same pair when a failure is looked at."""
    chance = random.Random(sha256_of_tree(PACKAGE))
    asked = [word for bug in chance.sample(BUGS, 2) for word in ("--only", bug.name)]
    command = [sys.executable, "-m", "tests.mutations", *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("2 of 2 bugs caught\n")
