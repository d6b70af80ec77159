"""What the guides on opponents and gates show is read as it stands there: recipes, commands, the workflow."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from burnish.core.settings import parse_yaml
from burnish.evals.settings import EvaluateSettings
from burnish.evals.verdict import parse_gate
from burnish.recipe.recipe import read_recipe
from tests.cli.run_cli import burnish

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", blocks("choose-opponents.md", "yaml"))
def test_every_recipe_of_the_page_on_opponents_is_one(text: str) -> None:
    settings = EvaluateSettings.model_validate(parse_yaml(text, "page").values["evaluate"])
    assert EvaluateSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize("text", blocks("tune-lora.md", "yaml"))
def test_every_recipe_of_the_page_on_lora_is_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(f"model: smollm2-135m\ndata: rows.jsonl\n{text}")
    assert read_recipe(tmp_path / "recipe.yaml")[0].adapt.type == "lora"


@pytest.mark.parametrize("text", blocks("choose-a-method.md", "yaml"))
def test_every_recipe_of_the_page_on_methods_is_one(text: str, tmp_path: Path) -> None:
    model = "" if text.startswith("model:") else "model: smollm2-135m\n"
    (tmp_path / "recipe.yaml").write_text(f"{model}data: rows.jsonl\n{text}")
    recipe = read_recipe(tmp_path / "recipe.yaml")[0]
    assert recipe.export.forms == (("adapter",) if recipe.adapt.type == "prefix" else ("merged", "gguf-q8_0"))


def workflow() -> dict[Any, Any]:
    (text,) = blocks("gate-in-ci.md", "yaml")
    found: dict[Any, Any] = yaml.safe_load(text)
    return found


def test_the_workflow_is_one_and_its_actions_are_pinned_to_a_commit() -> None:
    found = workflow()
    assert set(found) == {"name", True, "permissions", "concurrency", "jobs"}  # YAML 1.1 reads `on` as true
    assert found["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in found["jobs"].values() for step in job["steps"] if "uses" in step]
    assert len(used) == 2
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def commands() -> list[str]:
    steps = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    shown = [line for text in blocks("gate-in-ci.md", "sh") for line in text.splitlines()]
    return [line for line in (*steps, *shown) if line.startswith("burnish")]


@pytest.mark.parametrize("command", commands())
def test_its_commands_have_verbs_options_and_gates_that_there_are(command: str) -> None:
    _, verb, *arguments = shlex.split(command, comments=True)
    told = burnish(verb, "--help")
    assert told.code == 0
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name.startswith("--"):
            assert name in told.out
        if name == "--gate":
            assert parse_gate(value) is not None
