"""The model card: what is there is said, what is missing is said to be, and text from outside stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from burnish.core.run_folder import RunFolder
from burnish.deploy.card import escaped, short_card, write_card

EVIL = 'x`|</td><script>alert(1)</script>\n---\nlicense: stolen\n[a](javascript:b) \u202e\ud800"'
MEAN = {"mean": 0.825, "low": 0.747, "high": 0.883, "n": 60}


def write(folder: RunFolder, **files: Any) -> str:
    folder.create()
    for name, value in files.items():
        path = getattr(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    write_card(folder)
    return folder.card.read_text("utf-8")


def full(text: str) -> dict[str, Any]:
    """A run folder whose every word is `text`."""
    return {
        "environment": {"model": {"name": f"/models/{text}", "sha256": "ab" * 32}, "versions": {text: text}},
        "data_card": {
            "parts": {text: {"rows": 5, "tokens": {"total": 50}}},
            "sources": [{"file": text, "rows": 5, "sha256": text}],
        },
        "training": {"method": text, "learning_rate": 3e-4, "steps_done": 10, "best_loss": 1.25},
        "verdict_json": {
            "task": {
                "outcome": text, "reason": text, "n": 60, "could_show": text,
                "arms": [{"arm": "tuned", "metrics": {text: MEAN}}, {"arm": text, "metrics": {text: MEAN}}],
            },
            "memory": {"outcome": text, "suites": [{"suite": text, "outcome": text, "delta": -0.01, "margin": 0.05}]},
        },
        "parity": {
            "prompts": 8, "tokens": 99, "base": {"name": text, "licence": text},
            "forms": {
                "merged": {"status": "passed", "file": text, "dtype": text, "why": text, "engine": text},
                "adapter": {"status": "passed", "file": "adapter", "base": "base"},
                "gguf-q8_0": {"status": "failed", "file": "model-q8_0.gguf", "why": text},
            },
        },
    }  # fmt: skip


def test_an_empty_run_gives_a_card_that_says_what_is_missing(tmp_path: Path) -> None:
    card = write(RunFolder(tmp_path / "run-1"))
    for sentence in ("Not evaluated", "Not exported", "No record of the data", "No record of the training"):
        assert sentence in card
    assert "not stated by the base" in card


def test_damaged_files_count_as_missing(tmp_path: Path) -> None:
    card = write(RunFolder(tmp_path / "run"), verdict_json="{", parity="[]", recipe="a: [", training='"x"')
    assert "Not evaluated" in card


def test_text_from_outside_stays_text(tmp_path: Path) -> None:
    card = write(RunFolder(tmp_path / "run"), **full(EVIL))
    _, front, body = card.split("\n---\n" if card.startswith("\n") else "---\n", 2)
    values = yaml.safe_load(front)
    assert values["license"] == EVIL
    assert "<script" not in body
    assert "\u202e" not in card
    assert "[a](" not in body
    for line in body.splitlines():
        assert line != "---"
        if line.startswith("|"):  # every cell of a table stays one cell
            head = len(line.replace("\\|", "").split("|"))
            assert head in (4, 5, 7, 10)


def test_a_folder_of_onnx_is_called_that_and_its_file_is_named(tmp_path: Path) -> None:
    run, forms = RunFolder(tmp_path / "run"), {"onnx": {"status": "passed", "file": "onnx", "dtype": "float32"}}
    assert "`export/onnx/model.onnx`" in write(run, parity={"forms": forms})
    values = yaml.safe_load(short_card(run, {"forms": forms}).split("---\n")[1])
    assert values["library_name"] == "onnx"
    assert values["tags"] == ["burnish", "onnx"]


def test_the_front_matter_is_what_the_hub_reads(tmp_path: Path) -> None:
    facts = full("accuracy")
    facts["environment"]["model"]["name"] = "org/base"
    card = write(RunFolder(tmp_path / "run"), **facts)
    values = yaml.safe_load(card.split("---\n")[1])
    assert values["base_model"] == "org/base"
    assert values["library_name"] == "transformers"
    result = values["model-index"][0]["results"][0]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.825}]
    assert result["dataset"]["type"] == "private"


def test_folders_of_the_user_are_not_told(tmp_path: Path) -> None:
    card = write(RunFolder(tmp_path / "run"), **full("base-7b"))
    assert "/models/" not in card
    assert "base-7b" in card
    assert "base_model" not in card


def test_only_forms_that_were_kept_are_explained(tmp_path: Path) -> None:
    card = write(RunFolder(tmp_path / "run"), **full("x"))
    use = card.split("## Use")[1].split("## Evaluation")[0]
    assert 'from_pretrained("export/base")' in use
    assert "model-q8_0.gguf" not in use


def test_escaping() -> None:
    assert escaped("a|b\n<b>*c*</b> & `d`") == "a\\|b &lt;b&gt;\\*c\\*&lt;/b&gt; &amp; \\`d\\`"
