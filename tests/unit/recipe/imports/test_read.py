"""Which tool a file belongs to, and files that mean harm or make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.imports.read import import_files
from tests.unit.recipe.imports.cases import FILES

TOOLS = {"axolotl": "Axolotl", "llamafactory": "LLaMA-Factory", "trl": "TRL", "openai": "OpenAI"}
ALL = sorted(path for path in FILES.rglob("*.*") if path.name != "dataset_info.json")
BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nbase_model: *b\n"


def refused(path: Path, text: str, words: str) -> RecipeError:
    path.write_text(text)
    with pytest.raises(RecipeError, match=words) as error:
        import_files([path])
    return error.value


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_tool_is_found_out(path: Path) -> None:
    assert import_files([path]).tool == TOOLS[path.parent.name]


def test_the_tool_may_be_said(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("learning_rate: 1e-4\nseed: 1\n")
    with pytest.raises(RecipeError, match="Cannot tell") as error:
        import_files([tmp_path / "a.yaml"])
    assert "--from" in error.value.next_move
    done = import_files([tmp_path / "a.yaml"], tool="trl", model="m", data="d.jsonl")
    assert done.recipe["train"]["learning_rate"] == 1e-4
    with pytest.raises(RecipeError, match="no such tool"):
        import_files([tmp_path / "a.yaml"], tool="unsloth")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base_model: !!python/object/apply:os.system ['touch {touched}']\n", "cannot be imported"),
        ("base_model: !!python/name:os.system\n", "cannot be imported"),
        (BOMB, "cannot be imported"),
        ("base_model: a\nbase_model: b\n", "cannot be imported"),
        ("datasets:\n  - path: a\n    path: b\n", "cannot be imported"),
        ("base_model: [\n", "cannot be imported"),
        ("- a\n- b\n", "cannot be imported"),
        ("", "cannot be imported"),
        ("a: " + "[" * 5000 + "\n", "cannot be imported"),
        ('{"training_file": "a", "training_file": "b"}', "twice"),
        ('{"method": {"type": "dpo", "type": "sft"}}', "twice"),
        ('{"training_file": ', "not valid JSON"),
        ("[" * 100_000, "nested too deeply|not valid JSON"),
        ("[1, 2]", "object of keys"),
        ("{}", "Cannot tell"),
    ],
)
def test_hostile_and_broken_files_are_refused_and_nothing_is_run(tmp_path: Path, text: str, words: str) -> None:
    touched = tmp_path / "touched"
    error = refused(tmp_path / "file.yaml", text.replace("{touched}", str(touched)), words)
    assert str(tmp_path / "file.yaml") in error.where
    assert not touched.exists()


def test_values_that_look_like_code_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text('base_model: "__import__(\'os\').system(\'id\')"\ndatasets: [{path: "`id`.jsonl", type: "$(id)"}]\n'
                    "micro_batch_size: 1\nlearning_rate: 1e-4\n")  # fmt: skip
    done = import_files([path])
    assert done.recipe["model"]["name"] == "__import__('os').system('id')"
    assert done.recipe["data"]["train"] == "`id`.jsonl"


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(RecipeError, match="as text"):
        import_files([tmp_path / "a.yaml"])
    with pytest.raises(RecipeError, match="no such file"):
        import_files([tmp_path / "absent.yaml"])
    (tmp_path / "large.yaml").write_bytes(b"#" * 10_000_001)
    with pytest.raises(RecipeError, match="too large"):
        import_files([tmp_path / "large.yaml"])


def test_two_files_of_settings_make_no_recipe() -> None:
    with pytest.raises(RecipeError, match="One file"):
        import_files([FILES / "axolotl/dpo.yml", FILES / "axolotl/full.yml"])


def test_a_description_alone_is_no_settings() -> None:
    with pytest.raises(RecipeError, match="hold no settings"):
        import_files([FILES / "llamafactory/data/dataset_info.json"])
