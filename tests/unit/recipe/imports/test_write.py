"""The recipe says where each line comes from, and no list shows a secret."""

from __future__ import annotations

from pathlib import Path

from burnish.core.settings import parse_yaml
from burnish.recipe.imports.contract import Imported, Note
from burnish.recipe.imports.read import import_files
from burnish.recipe.imports.write import masked, recipe_text, report_markdown, report_text
from tests.unit.recipe.imports.cases import FILES


def imported(*notes: Note) -> Imported:
    recipe = {"model": {"name": "m"}, "data": {"train": "d.jsonl", "template": "{a}\n# {b}: '\""}}
    return Imported("T", recipe, notes)


def test_each_line_names_its_keys() -> None:
    text = recipe_text(import_files([FILES / "axolotl/dpo.yml"]), "dpo.yml")
    assert "  rows_per_update: 16  # micro_batch_size, gradient_accumulation_steps\n" in text
    assert "  learning_rate: 5.0e-06  # learning_rate\n" in text


def test_what_is_written_reads_back_as_it_was() -> None:
    for path in ("axolotl/dora_columns.yml", "llamafactory/lora_sft.yaml", "trl/dpo.sh", "openai/job_dpo.json"):
        done = import_files([FILES / path])
        assert parse_yaml(recipe_text(done, path), path).values == done.recipe
    assert parse_yaml(recipe_text(imported(), "x"), "x").values == imported().recipe


def test_a_key_cannot_write_a_line_of_its_own() -> None:
    note = Note("dataset_info.a\nname: evil", 1, "translated", "", {"data.train": "d.jsonl"})
    text = recipe_text(imported(note), "file\nname: evil")
    assert "name" not in parse_yaml(text, "x").values
    assert len(report_text(imported(note), "f").splitlines()) == 4


def test_secrets_are_never_shown() -> None:
    notes = [
        Note("--hub_token", "hf_abc", "missing"),
        Note("swanlab_api_key", "hf_abc", "ignored"),
        Note("env", {"HF_TOKEN": "hf_abc", "X": "1"}, "ignored"),
        Note("HF_TOKEN", "hf_abc", "ignored"),
        Note("line 3", "export HF_TOKEN=hf_abc", "ignored"),
    ]
    assert "hf_abc" not in report_text(imported(*notes), "f") + report_markdown(imported(*notes), "f")
    assert masked("<|end|>", "--eos_token") == "<|end|>"
    assert masked("AutoTokenizer", "tokenizer_type") == "AutoTokenizer"


def test_the_page_has_a_table_for_each_list(tmp_path: Path) -> None:
    page = report_markdown(import_files([FILES / "axolotl/kto.yml"]), "kto.yml")
    assert "No recipe: kto" in page
    assert "| `rl` | kto |" in page
    assert page.count("|---|---|---|---|") == 5
