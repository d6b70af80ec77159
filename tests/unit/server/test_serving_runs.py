"""Runs that are served: LoRA on a base that they share, every other method as a network of its own; and the real model
over HTTP says what `Run.chat` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.core.errors import ModelError, RecipeError
from burnish.pipeline.api import load
from tests.cli.run_cli import burnish
from tests.live_server import live_server

QUESTION = "3: sky?"
QUICK = ("--set", "train.steps=40", "--set", "train.learning_rate=0.003")


@pytest.fixture(scope="module")
def runs(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods, a few steps each."""
    out = tmp_path_factory.mktemp("runs")
    colours = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}
    rows = [{"prompt": f"{n}: {thing}?", "completion": colours[thing]} for n in range(15) for thing in colours]
    (out / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, adapt in (("plain", "lora"), ("other", "{type: lora, r: 4}"), ("dora", "{type: lora, dora: true}"),
                        ("whole", "full")):  # fmt: skip
        done = burnish("train", "--model", tiny_folder, "--data", out / "rows.jsonl", "--out", out, "--name", name,
                       "--set", f"adapt={adapt}", *QUICK)  # fmt: skip
        assert done.code == 0, done.err
    return out


def test_every_method_answers_as_its_run_does_and_plain_ones_share_a_base(runs: Path) -> None:
    with live_server() as live:
        for name in ("plain", "other", "dora", "whole"):
            live.catalog.add(name, runs / name)
        served = {one.name: one for one in live.catalog.all()}
        assert list(served) == ["model", "plain", "other", "dora", "whole"]
        assert served["plain"].seat is served["other"].seat is served["model"].seat
        assert len({one.seat for one in served.values()}) == 3
        assert [served[name].parent for name in served] == [None, "model", "model", None, None]
        for name in ("plain", "other", "dora", "whole"):
            answer = live.client.chat.completions.create(
                model=name, messages=[{"role": "user", "content": QUESTION}], max_tokens=10
            )
            assert answer.choices[0].message.content == load(runs / name).chat(QUESTION, max_new_tokens=10)
        live.catalog.add("plain", runs / "other")  # as when a job is done again under one name
        assert live.catalog.get("plain").adapter == served["other"].adapter


def test_a_run_that_cannot_be_served_is_refused(runs: Path, tiny_folder: Path, tmp_path: Path) -> None:
    with live_server() as live:
        with pytest.raises(RecipeError, match="no run to serve"):
            live.catalog.add("x", tmp_path)
        (tmp_path / "recipe.yaml").write_text((runs / "plain" / "recipe.yaml").read_text())
        with pytest.raises(RecipeError, match="not trained yet"):
            live.catalog.add("x", tmp_path)
        (tmp_path / "stages.json").write_text((runs / "plain" / "stages.json").read_text())
        environment = json.loads((runs / "plain" / "environment.json").read_text())
        environment["model"]["sha256"] = "0" * 64
        (tmp_path / "environment.json").write_text(json.dumps(environment))
        with pytest.raises(ModelError, match="not the one that this run was trained on"):
            live.catalog.add("x", tmp_path)
        for name in ("", "line\nbreak", "x" * 300):
            with pytest.raises(RecipeError, match="needs a name"):
                live.catalog.add(name, runs / "plain")
        assert [one.name for one in live.catalog.all()] == ["model"]


@pytest.mark.model
def test_the_real_model_counts_the_same_prompt_and_says_the_same(smollm_path: Path) -> None:
    """Of SmolLM2-135M: JSON of a schema, and an answer that ends by itself."""
    with live_server() as live:
        live.catalog.add_base("smollm2-135m")
        schema = {"type": "object", "properties": {"capital": {"type": "string", "maxLength": 20}},
                  "required": ["capital"], "additionalProperties": False}  # fmt: skip
        answer = live.client.chat.completions.create(
            model="smollm2-135m", messages=[{"role": "user", "content": "The capital of France, as JSON."}],
            max_tokens=60, response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
        )  # fmt: skip
        assert "Paris" in json.loads(answer.choices[0].message.content or "")["capital"]
        assert answer.choices[0].finish_reason == "stop"
