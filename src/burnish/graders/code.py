"""The answer is a Python program; tests decide. It is run in a sandbox, and only by the recipe's leave."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from burnish.core.errors import DataError, RecipeError
from burnish.core.records import Chat
from burnish.graders.normalise import squash
from burnish.graders.sandbox import fences, run_python
from burnish.graders.settings import CodeMetric

Tests: TypeAlias = Mapping[str, tuple[str, ...]]  # question → its tests

_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


def program_in(output: str) -> str:
    """The first fenced block of an answer, else the whole answer."""
    block = _FENCED.search(output)
    return block[1] if block else output


def read_tests(path: Path) -> Tests:
    """The tests of each question. Raises RecipeError: the file cannot be read, or a line lacks prompt or tests."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError("The tests cannot be read.", where=str(path), seen=str(error)[:120]) from error
    return dict(_tests_in(line, f"{path}:{place}") for place, line in enumerate(lines, 1) if line.strip())


def _tests_in(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    """Question and tests of a line."""
    try:
        row = json.loads(line)
        tests = [row["tests"]] if isinstance(row["tests"], str) else row["tests"]
        if not tests or not all(isinstance(test, str) for test in tests):
            raise ValueError("`tests` is neither a text nor a list of texts")
        return squash(row["prompt"]), tuple(tests)
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            "This line holds no tests.",
            where=where,
            seen=f"no {error}" if isinstance(error, KeyError) else str(error)[:120],
            next_move='a line for each question: {"prompt": …, "tests": ["assert …"]}',
        ) from error


def find_tests(row: Chat, tests: Tests) -> tuple[str, ...]:
    """The tests of a row, found by its last question. Raises DataError: there are none."""
    question = next((message.content for message in reversed(row.prompt) if message.role == "user"), "")
    found = tests.get(squash(question))
    if found is None:
        raise DataError(
            "A row has no tests.",
            where=f"row {row.id}" + (f" ({row.source})" if row.source else ""),
            seen=question[:80],
            next_move="add a line with the same `prompt` to evaluate.metric.tests_file",
        )
    return found


def passes(program: str, test: str, settings: CodeMetric) -> bool:
    """Whether the program and then the test run to their end."""
    # Ending with exit code 0 is not enough: `sys.exit(0)` in the program would do that too.
    word = secrets.token_hex(8)
    text = f"{program}\n\n{test}\n\nprint({word!r})\n"
    ended = run_python(text, seconds=settings.seconds, memory_mb=settings.memory_mb)
    return ended.code == 0 and ended.printed.rstrip().endswith(word)


def grade_code(output: str, tests: Sequence[str], settings: CodeMetric) -> dict[str, float]:
    """`passed`: 1.0 when all tests pass, else 0.0; `tests_passed`: the share that does. Each runs in a new process."""
    program = program_in(output)
    results = [bool(program.strip()) and passes(program, test, settings) for test in tests]
    return {"passed": float(all(results)), "tests_passed": sum(results) / len(results)}


def warning(settings: CodeMetric) -> str:
    """What is said aloud before anything is run. Raises RecipeError: this machine has no sandbox."""
    if sys.platform == "win32":
        raise RecipeError(
            "Code is not run on Windows: it has no limits for a process.", next_move="evaluate under WSL or on Linux"
        )
    standing = fences()
    if not passes("x = 1", "assert x == 1", settings):
        raise RecipeError(
            "The sandbox does not work on this machine.",
            seen=f"fences: {', '.join(standing) or 'none'}",
            next_move="allow more evaluate.metric.memory_mb or seconds, or choose another metric",
        )
    shut = {"network": "no network", "files": "files read-only", "processes": "no sight of other processes"}
    return (
        "metric code: programs that the models write are run on this machine, each test for "
        f"{settings.seconds:g} s and {settings.memory_mb} MB at most; "
        + (", ".join(shut[name] for name in standing) or "NOTHING keeps them from the network and your files here")
    )
