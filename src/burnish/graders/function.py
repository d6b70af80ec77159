"""A Python function of the user's decides. It is their own code, named in the recipe, and trusted as that is."""

from __future__ import annotations

import importlib.util
import inspect
import math
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import RecipeError
from burnish.core.records import Chat


def load_function(path: Path, name: str) -> Callable[..., Any]:
    """Runs the file and takes the function from it. Raises RecipeError: it cannot be run, or lacks the function."""
    spec = importlib.util.spec_from_file_location(f"burnish_metric_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError("This is no Python file.", where=str(path), next_move="correct evaluate.metric.file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RecipeError(
            "The file with the metric cannot be run.", where=_line(error, path), seen=f"{type(error).__name__}: {error}"
        ) from error
    function: Callable[..., Any] | None = vars(module).get(name)
    if function is None or not callable(function):
        raise RecipeError(
            f"There is no function `{name}` in this file.",
            where=str(path),
            seen=", ".join(key for key, value in vars(module).items() if inspect.isfunction(value)) or "no function",
            next_move="correct evaluate.metric.name",
        )
    return function


def grade_with(function: Callable[..., Any], output: str, row: Chat) -> dict[str, float]:
    """The scores that the function gives: its number as `score`, or its mapping, which must hold `score`.

    Raises RecipeError: it fails on this row, or gives something else.
    """
    asks = "prompt" in inspect.signature(function).parameters
    where = f"row {row.id}" + (f" ({row.source})" if row.source else "")
    try:
        given = function(output, row.answer, prompt=row.prompt_text) if asks else function(output, row.answer)
    except Exception as error:
        file = Path(inspect.getsourcefile(function) or "")
        raise RecipeError(
            "Your metric failed on an answer.",
            where=f"{_line(error, file)}, {where}",
            seen=f"{type(error).__name__}: {error}; the answer was {output[:60]!r}",
            next_move="let it give 0 for answers that it cannot read",
        ) from error
    scores = dict(given) if isinstance(given, Mapping) else {"score": given}
    if "score" not in scores or not all(isinstance(key, str) and _is_number(value) for key, value in scores.items()):
        raise RecipeError(
            "Your metric must give a finite number, or a mapping of names to such numbers with the key `score`.",
            where=where,
            seen=repr(given)[:120],
        )
    return {key: float(value) for key, value in scores.items()}


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False


def _line(error: Exception, path: Path) -> str:
    """ "grade.py:7" for the line of the user's file in which the error arose."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f"{path}:{line}" if line else str(path)
