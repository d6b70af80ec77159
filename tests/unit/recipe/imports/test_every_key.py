"""Nothing is silent: every value of the input stands in exactly one list, whatever it holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from burnish.core.errors import RecipeError
from burnish.core.settings import Document, build, read_yaml
from burnish.recipe.imports import axolotl, llamafactory, openai, trl
from burnish.recipe.imports.contract import Given, Imported, Note
from burnish.recipe.imports.read import TABLES, import_files, read_json
from burnish.recipe.imports.write import recipe_text, report_markdown, report_text
from burnish.recipe.recipe import Recipe, expand
from tests.unit.recipe.imports.cases import FILES, assert_each_in_one_list

CONVERTERS: Mapping[str, Callable[[Given, list[Note]], Imported]] = {
    "axolotl": axolotl.convert,
    "llamafactory": llamafactory.convert,
    "trl": trl.convert,
    "openai": openai.convert,
}
SETTINGS = sorted(
    path for path in FILES.rglob("*.*") if path.suffix in (".yml", ".yaml") or path.parent.name == "openai"
)
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 0.5, 1e30, 7.5, "", "no", "auto", "2e-4", "linear", "constant", "a/b", "rows.jsonl",
    "$X", "é\n\t", "x" * 500, [], ["a"], ["q_proj"], [1, None], [{"path": "a.jsonl", "type": "alpaca"}], [{}], [[1]],
    {}, {"a": 1}, {"type": "dpo", "dpo": {"hyperparameters": {"beta": "auto"}}}, {"type": []}, {"path": {"x": 1}},
)  # fmt: skip


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_value_of_a_file_stands_in_one_list(path: Any) -> None:
    done = import_files([path])
    assert_each_in_one_list(values_of(path), done)


def values_of(path: Any) -> Mapping[str, Any]:
    return read_json(path.read_text(), "job") if path.suffix == ".json" else read_yaml(path).values


def test_every_part_of_a_described_dataset_stands_in_one_list() -> None:
    info = read_json((FILES / "llamafactory/data/dataset_info.json").read_text(), "info")
    for name in info:
        values = {"model_name_or_path": "m", "stage": "sft", "dataset": name}
        done = llamafactory.convert(Given(values, info), [])
        assert_each_in_one_list({**values, "dataset_info": {name: info[name]}}, done)


@pytest.mark.parametrize("tool", TABLES)
@pytest.mark.parametrize("seed", range(60))
def test_odd_values_under_any_keys_stand_in_one_list_and_never_make_a_broken_recipe(tool: str, seed: int) -> None:
    draw = random.Random(f"{tool} {seed}")
    keys = draw.sample(sorted(TABLES[tool]), k=min(len(TABLES[tool]), draw.randint(1, 40)))
    values = {key: draw.choice(ODD) for key in [*keys, "an_odd_key"]}
    if tool == "llamafactory" and seed % 2:
        values = {**values, "dataset": "faq", "eval_dataset": None}
    done = converted(tool, values)
    if done is None:
        return
    assert_each_in_one_list(values, done)
    assert report_text(done, "file").isprintable() is False  # lines, and nothing else that is not printable
    assert all(line.isprintable() for line in report_text(done, "file").split("\n"))
    report_markdown(done, "file")
    if not done.blocked:
        build(Recipe, expand(Document(done.recipe)))
        recipe_text(done, "file")


def converted(tool: str, values: dict[str, Any]) -> Imported | None:
    """None where the values name a dataset that nothing describes."""
    info = {"faq": {"file_name": "faq.json", "columns": values.get("tags"), "formatting": values.get("template")}}
    extra = [
        Note("--model", "m", "added", "", {"model.name": "m"}),
        Note("--data", "d", "added", "", {"data.train": "d"}),
    ]
    given = Given(values, {"method": "sft"} if tool == "trl" else info)
    if tool == "llamafactory" and any(names_unknown(values.get(key)) for key in ("dataset", "eval_dataset")):
        with pytest.raises(RecipeError, match="is not described"):
            llamafactory.convert(given, extra)
        return None
    return CONVERTERS[tool](given, extra)


def names_unknown(value: Any) -> bool:
    listed = value.split(",") if isinstance(value, str) and value else value
    return isinstance(listed, list) and bool(listed) and all(isinstance(one, str) for one in listed) and value != "faq"


def test_the_words_of_a_call_stand_in_one_list() -> None:
    done = import_files([FILES / "trl/dpo.sh"])
    said = sorted(note.key for note in done.notes if note.outcome != "added")
    words = (
        "--model_name_or_path --dataset_name --dataset_test_split --learning_rate --num_train_epochs --num_processes "
    )
    words += "--per_device_train_batch_size --gradient_accumulation_steps --beta --label_smoothing --loss_type "
    words += "--precompute_ref_log_probs --max_prompt_length --lr_scheduler_type --warmup_ratio --use_peft --optim "
    words += "--lora_target_modules --use_rslora --hub_token CUDA_VISIBLE_DEVICES"
    lines = ["line 1", "line 2", "line 3", "line 5", "line 23", "trl dpo"]
    assert said == sorted([*words.split(), *lines])
