"""Whether a metric can be used, asked before a model is trained and without running anybody's code."""

from __future__ import annotations

import ast
from pathlib import Path

from burnish.core.errors import RecipeError
from burnish.graders.code import read_tests
from burnish.graders.registry import compare
from burnish.graders.settings import AutoMetric, CodeMetric, FunctionMetric, NamedMetric, file_of


def check_metric(metric: AutoMetric | NamedMetric) -> None:
    """Raises RecipeError: a file is absent or wrong, a pattern is none, a function is not in its file."""
    named = file_of(metric)
    if named and not Path(named[1]).is_file():
        raise RecipeError("There is no such file.", where=f"evaluate.metric.{named[0]}", seen=named[1])
    match metric:
        case AutoMetric():
            return
        case CodeMetric():
            read_tests(Path(metric.tests_file))
        case FunctionMetric():
            _check_function(Path(metric.file), metric.name)
        case _:
            compare(metric)


def _check_function(path: Path, name: str) -> None:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError) as error:
        where = f"{path}:{error.lineno}" if isinstance(error, SyntaxError) else str(path)
        raise RecipeError("The file with the metric is not Python.", where=where, seen=str(error)[:120]) from error
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    if name not in functions | stored | imported | ({name} if "*" in imported else set()):
        raise RecipeError(
            f"There is no function `{name}` in this file.",
            where=str(path),
            seen=", ".join(sorted(functions)) or "no function",
            next_move="correct evaluate.metric.name",
        )
