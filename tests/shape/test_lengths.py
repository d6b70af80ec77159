"""A file holds one idea and a function does one job: at most 400 and 60 lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").rglob("*.py"), *(ROOT / "examples").glob("*.py")])
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
EXCEPTIONS: dict[str, str] = {}  # "path" or "path:function" → the reason


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_files_and_functions_are_short(path: Path) -> None:
    name, text = str(path.relative_to(ROOT)), path.read_text("utf-8")
    lines = text.count("\n")
    assert lines <= LONGEST_FILE or name in EXCEPTIONS, f"{name} has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            known = f"{name}:{node.name}" in EXCEPTIONS
            assert length <= LONGEST_FUNCTION or known, f"{name}:{node.lineno} {node.name} has {length} lines"


def test_no_exception_is_out_of_date() -> None:
    for name in EXCEPTIONS:
        assert (ROOT / name.partition(":")[0]).exists(), f"{name} is gone"
