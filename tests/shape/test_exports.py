"""What the package shows is there, and what a file exports it has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import burnish

PACKAGE = Path(burnish.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def test_the_front_door_is_small_and_everything_behind_it_is_there() -> None:
    assert 1 <= len(burnish.__all__) <= 8
    for name in burnish.__all__:
        assert getattr(burnish, name) is not None


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_every_file_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{path} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_public_functions_and_classes_say_what_they_are_for(path: Path) -> None:
    """The parts of a Protocol and one-line properties speak for themselves."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            short = isinstance(node, ast.FunctionDef) and len(node.body) == 1
            assert short or ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"
