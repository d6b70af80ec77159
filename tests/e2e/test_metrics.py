"""Metrics that a recipe names, from the command line: files beside the recipe, checked first and hashed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from burnish.core.settings import parse_yaml
from burnish.evals.settings import EvaluateSettings
from burnish.graders.function import load_function
from tests.cli.run_cli import Result, burnish

PAGE = Path(__file__).parents[2] / "docs" / "choose-a-metric.md"
EXAMPLES = re.findall(r"^```(yaml|python|json)\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
SCORE = "def score(output, expected):\n    return len(output)\n"


@pytest.fixture
def recipe(tiny_folder: Path, tmp_path: Path) -> Path:
    rows = [{"prompt": f"{n}: sky?", "completion": "blue" if n % 2 else "grey"} for n in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "grade.py").write_text(SCORE)
    path = tmp_path / "sky.yaml"
    path.write_text(
        f"model: {tiny_folder}\ndata: rows.jsonl\ntrain: {{steps: 2}}\n"
        "evaluate: {metric: grade.py:score, retention: off, opponents: [base], max_new_tokens: 3}\n"
    )
    return path


def evaluate(recipe: Path | str, folder: Path, *more: str) -> Result:
    return burnish("run", recipe, "--out", folder / "runs", "--set", "export=[]", *more)


def test_a_function_beside_the_recipe_decides_and_is_an_input(recipe: Path, tmp_path: Path) -> None:
    done = evaluate(recipe, tmp_path)
    assert done.code == 0, done.err
    verdict = json.loads((tmp_path / "runs" / "sky" / "verdict.json").read_text())
    assert verdict["task"]["metric"] == "score"
    again = burnish("evaluate", tmp_path / "runs" / "sky")
    assert again.code == 0, again.err
    assert "evaluate: done before" in again.out
    (tmp_path / "grade.py").write_text(SCORE.replace("len(output)", "-len(output)"))
    changed = evaluate(recipe, tmp_path)
    assert changed.code == 2
    assert "evaluate.metric.file" in changed.err


def test_a_metric_that_cannot_be_used_is_told_before_anything_is_trained(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "grade.py").write_text("def other(output, expected):\n    return 1\n")
    refused = evaluate(recipe, tmp_path)
    assert refused.code == 2
    assert "no function `score`" in refused.err
    assert not (tmp_path / "runs" / "sky").exists()


def test_programs_are_not_run_without_leave(recipe: Path, tmp_path: Path) -> None:
    refused = evaluate(recipe, tmp_path, "--set", "evaluate.metric={type: code, tests_file: tests.jsonl}")
    assert refused.code == 2
    assert "execute: true" in refused.err


@pytest.mark.parametrize("text", [text for kind, text in EXAMPLES if kind == "yaml"])
def test_every_recipe_of_the_page_is_one(text: str) -> None:
    document = parse_yaml(text, str(PAGE))
    assert EvaluateSettings.model_validate(document.values["evaluate"]).metric.type != "auto"


def test_the_function_of_the_page_works(tmp_path: Path) -> None:
    (text,) = [text for kind, text in EXAMPLES if kind == "python"]
    (tmp_path / "grade.py").write_text(text)
    score = load_function(tmp_path / "grade.py", "score")
    assert score("Sorry, sorry: Bonn", "Bonn", "?") == {"score": 0.5, "words": 3}


def test_the_tests_of_the_page_can_be_passed(tmp_path: Path) -> None:
    from burnish.graders.code import grade_code, read_tests
    from burnish.graders.settings import CodeMetric

    (text,) = [text for kind, text in EXAMPLES if kind == "json"]
    (tmp_path / "tests.jsonl").write_text(text)
    (tests,) = read_tests(tmp_path / "tests.jsonl").values()
    settings = CodeMetric(tests_file="tests.jsonl", execute=True)
    assert grade_code("```python\ndouble = lambda n: 2 * n\n```", tests, settings)["passed"] == 1.0


def test_the_plan_says_what_the_rows_that_are_asked_can_show(recipe: Path, tmp_path: Path) -> None:
    # The test part may be large and evaluate.items small: only the rows that are asked show anything.
    few = burnish("plan", recipe, "--out", tmp_path / "runs", "--set", "evaluate.items=4")
    assert few.code == 0, few.err
    assert "evaluate.items: 4 rows are too few to show a gain reliably." in few.out
    assert "Metric: function, judged by score (named in the recipe)" in few.out
    whole = burnish("plan", recipe, "--out", tmp_path / "runs", "--name", "whole")
    assert whole.code == 0, whole.err
    assert "evaluate.items" not in whole.out
