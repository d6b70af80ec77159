"""The table says what is: every test that it names is there, and what nothing holds is named as missing."""

from __future__ import annotations

import ast

import pytest

from tests.invariants.table import INVARIANTS, PAGE, ROOT, Invariant, page


def test_the_table_is_whole() -> None:
    assert [one.number for one in INVARIANTS] == list(range(1, 26))


@pytest.mark.parametrize("one", INVARIANTS, ids=[str(one.number) for one in INVARIANTS])
def test_every_test_that_the_table_names_is_there(one: Invariant) -> None:
    assert len(set(one.tests)) == len(one.tests)
    for test in one.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test


@pytest.mark.parametrize("one", INVARIANTS, ids=[str(one.number) for one in INVARIANTS])
def test_what_nothing_holds_says_what_is_missing(one: Invariant) -> None:
    assert one.tests or one.missing


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.invariants.table`"
