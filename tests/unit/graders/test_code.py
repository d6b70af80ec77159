from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from burnish.core.errors import DataError, RecipeError
from burnish.core.records import Chat, Message
from burnish.graders.code import find_tests, grade_code, program_in, read_tests, warning
from burnish.graders.settings import CodeMetric

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no sandbox on Windows")
SETTINGS = CodeMetric(tests_file="tests.jsonl", execute=True, seconds=10)
DOUBLE = "def double(n):\n    return 2 * n\n"


def test_the_program_is_the_first_fenced_block_or_the_whole_answer() -> None:
    assert program_in(f"Here:\n```python\n{DOUBLE}```\nand\n```\nx\n```") == DOUBLE
    assert program_in(f"```\n{DOUBLE}") == DOUBLE
    assert program_in(DOUBLE) == DOUBLE


def test_every_test_counts() -> None:
    tests = ("assert double(2) == 4", "assert double(0) == 1", "assert double('a') == 'aa'")
    assert grade_code(DOUBLE, tests, SETTINGS) == {"passed": 0.0, "tests_passed": pytest.approx(2 / 3)}
    assert grade_code(DOUBLE, tests[::2], SETTINGS) == {"passed": 1.0, "tests_passed": 1.0}


@pytest.mark.parametrize("output", ["", "I cannot do that.", "def double(n): return n", "import sys; sys.exit(0)"])
def test_a_program_that_does_not_reach_its_end_does_not_pass(output: str) -> None:
    assert grade_code(output, ("assert double(2) == 4",), SETTINGS)["passed"] == 0.0


def row(question: str) -> Chat:
    return Chat("r", (Message("system", "Write Python."), Message("user", question), Message("assistant", DOUBLE)))


def test_tests_are_found_by_the_question(tmp_path: Path) -> None:
    file = tmp_path / "tests.jsonl"
    lines = [{"prompt": "Double it.", "tests": ["assert 1"]}, {"prompt": "Halve it.", "tests": "assert 2", "more": 1}]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    tests = read_tests(file)
    assert find_tests(row("Double  it."), tests) == ("assert 1",)
    assert find_tests(row("Halve it."), tests) == ("assert 2",)
    with pytest.raises(DataError, match="no tests"):
        find_tests(row("Square it."), tests)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"prompt": "a"}', '{"prompt": "a", "tests": []}', '{"prompt": "a", "tests": [1]}']
)
def test_a_line_without_tests_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tests.jsonl"
    file.write_text('{"prompt": "b", "tests": "x"}\n' + line)
    with pytest.raises(RecipeError) as caught:
        read_tests(file)
    assert caught.value.where == f"{file}:2"


def test_it_is_said_aloud_that_programs_are_run() -> None:
    assert "programs that the models write are run on this machine" in warning(SETTINGS)
