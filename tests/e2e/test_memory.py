"""The memory check from the command line: suites by name and from a file, and the guide that tells of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from burnish.core.settings import parse_yaml
from burnish.evals.settings import EvaluateSettings
from burnish.evals.suite_file import read_suite
from burnish.graders.constraints import CHECKS
from tests.cli.run_cli import burnish

PAGE = (Path(__file__).parents[2] / "docs" / "check-memory.md").read_text("utf-8")


@pytest.fixture
def recipe(tiny_folder: Path, tmp_path: Path) -> Path:
    rows = [{"prompt": f"{n}: sky?", "completion": "blue" if n % 2 else "grey"} for n in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = [{"prompt": f"{n} and one is", "choices": [str(n + 1), str(n), "x"], "answer": 0} for n in range(20)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in suite))
    path = tmp_path / "sky.yaml"
    path.write_text(
        f"model: {tiny_folder}\ndata: rows.jsonl\ntrain: {{steps: 2}}\nexport: []\n"
        "evaluate:\n  opponents: [base]\n  max_new_tokens: 3\n"
        "  retention: {size: short, suites: [refusals], extra: [sums.jsonl]}\n"
    )
    return path


def test_suites_and_drift_stand_in_the_verdict_and_a_suites_file_is_an_input(recipe: Path, tmp_path: Path) -> None:
    done = burnish("run", recipe, "--out", tmp_path / "runs")
    assert done.code == 0, done.err
    memory = json.loads((tmp_path / "runs" / "sky" / "verdict.json").read_text())["memory"]
    assert [(suite["suite"], suite["n"]) for suite in memory["suites"]] == [("refusals", 60), ("sums", 20)]
    assert memory["drift"]["kl"]["n"] == 30
    again = burnish("evaluate", tmp_path / "runs" / "sky")
    assert "evaluate: done before" in again.out, again.err
    with (tmp_path / "sums.jsonl").open("a") as file:
        file.write('{"prompt": "a", "choices": ["b", "c"], "answer": 0}\n')
    changed = burnish("run", recipe, "--out", tmp_path / "runs")
    assert changed.code == 2
    assert "evaluate.retention.extra" in changed.err


def test_a_suite_that_is_none_is_told_before_anything_is_trained(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "sums.jsonl").write_text('{"question": "a"}\n')
    refused = burnish("run", recipe, "--out", tmp_path / "runs")
    assert refused.code == 3
    assert "sums.jsonl:1" in refused.err
    assert not (tmp_path / "runs" / "sky").exists()


def test_the_guides_recipe_is_one_and_its_lines_are_items(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    retention = EvaluateSettings.model_validate(parse_yaml(text, "page").values["evaluate"]).retention
    assert retention.names == ["knowledge", "instructions", "refusals", "contracts", "style", "arc_easy"]
    lines = re.findall(r"^\| `(\{.*?\})` \|", PAGE, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        (tmp_path / "one.jsonl").write_text(line + "\n")
        assert len(read_suite(tmp_path / "one.jsonl")) == 1
    assert all(f"`{check}`" in PAGE for check in CHECKS)
