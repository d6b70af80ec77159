"""Self-distillation learns, draws by weights, seed, step and row alone, and goes on to the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from burnish.adapt import methods
from burnish.core.errors import RecipeError
from burnish.core.run_folder import RunFolder
from burnish.objectives.sdft import SDFT, Told
from burnish.pipeline.own_words import Speaker, draw_seed
from burnish.pipeline.run import run_stages
from burnish.recipe.recipe import read_recipe
from burnish.train.loop import Rows, train
from tests.unit.train.conftest import MakeRun, TinyRun, make_run, rows_of  # noqa: F401 - a fixture

COLOURS = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}
STOP = frozenset({2})


def told() -> tuple[list[Told], tuple[tuple[int, ...], ...]]:
    """Prompt and answer of the tiny rows; the teacher's prompt ends with the answer."""
    rows = [(row.ids, row.ids.index(next(t for t, w in zip(row.ids, row.weights, strict=True) if w)))
            for row in rows_of(COLOURS).rendered]  # fmt: skip
    found = [Told(n, tuple(ids[:start]), tuple(ids[start:])) for n, (ids, start) in enumerate(rows)]
    return found, tuple((*row.said[:-1], *row.prompt) for row in found)


def distil(tiny: TinyRun, *, break_at: int = -1) -> None:
    rows, hints = told()
    speaker = Speaker(tiny.decoder, hints, STOP, 6, 512, seed=3)

    def draw(step: int, taken: Sequence[tuple[int, Told]]) -> Sequence[tuple[int, Told]]:
        if step == break_at:
            raise RuntimeError("the lights went out")
        return speaker(step, taken)

    lesson = Rows(rows, [f"rows:{n}" for n in range(len(rows))])
    train(tiny.run, tiny.decoder, tiny.parameters, SDFT(hints, methods.switched_off), lesson, lesson, tiny.plan,
          tiny.settings, tiny.world, tiny.said.append, draw=draw)  # fmt: skip


def make(make_run: MakeRun, name: str) -> TinyRun:  # noqa: F811
    return make_run(name, answers=COLOURS, steps=12, rate=3e-3)


def test_the_student_comes_nearer_to_the_teacher_and_goes_on_to_the_same_bytes(make_run: MakeRun) -> None:  # noqa: F811
    whole = make(make_run, "whole")
    distil(whole)
    lines = [json.loads(line) for line in whole.run.metrics.read_text().splitlines()]
    dev = [line["dev_loss"] for line in lines if "dev_loss" in line]
    assert dev[-1] < 0.9 * dev[0]
    with pytest.raises(RuntimeError, match="lights"):
        distil(make(make_run, "parts"), break_at=6)
    parts = make(make_run, "parts")
    distil(parts)
    assert parts.run.metrics.read_bytes() == whole.run.metrics.read_bytes()
    name = "checkpoints/000012/weights.safetensors"
    assert (parts.run.path / name).read_bytes() == (whole.run.path / name).read_bytes()


def test_a_draw_depends_on_the_step_and_the_row_and_not_on_its_company(make_run: MakeRun) -> None:  # noqa: F811
    rows, hints = told()
    speaker = Speaker(make(make_run, "a").decoder, hints, STOP, 6, 512, seed=3)
    alone = speaker(4, [(0, rows[0])])
    assert speaker(4, [(1, rows[1]), (0, rows[0])])[1] == alone[0]
    assert len({draw_seed(seed, step, row) for seed in range(3) for step in range(50) for row in range(50)}) == 7500
    assert all(1 <= len(row.said) <= 7 for _, row in speaker(1, list(enumerate(rows))))


def test_a_recipe_with_it_trains_and_a_method_without_an_adapter_is_refused(tmp_path: Path, tiny_folder: Path) -> None:
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(6) for thing, colour in COLOURS.items()]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "recipe.yaml").write_text(
        f"model: {tiny_folder}\ndata: rows.jsonl\nobjective: sdft\ntrain: {{steps: 4, rows_per_update: 2}}\n"
    )

    def go(name: str, **changes: object) -> RunFolder:
        recipe, base = read_recipe(tmp_path / "recipe.yaml", name=name, changes=changes)
        run = RunFolder(tmp_path / name)
        run_stages(recipe, base, run, upto="train", say=lambda text: None, show=lambda shop: None)
        return run

    assert json.loads(go("one").training.read_text())["objective"] == "sdft"
    with pytest.raises(RecipeError, match="switching its adapter off"):
        go("full", adapt={"type": "full"})
