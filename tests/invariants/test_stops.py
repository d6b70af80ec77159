"""4: a model learns to stop. Guards against an end of turn that is never a target (trl 1623, unsloth 416)."""

from __future__ import annotations

from burnish.adapt.settings import FullSettings
from burnish.core.records import Message
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.render.renderer import make_renderer
from tests.unit.train.conftest import TOKENIZER, MakeRun


def test_a_trained_model_ends_its_answers(make_run: MakeRun) -> None:
    """Of 200 prompts that it never saw, at least 99 % end before the limit; of the untrained model hardly any."""
    renderer = make_renderer(TOKENIZER)
    requests = [
        Request(tuple(renderer.prompt([Message("user", f"{number}: colour? {'abc'[number % 3]}")])), 24)
        for number in range(200)
    ]
    tiny = make_run("run", FullSettings(), steps=40, rows_per_update=8, rate=5e-3, evaluate_every=40, save_every=40)
    before = generate(tiny.decoder, requests[:20], stop_ids=renderer.stop_ids)
    tiny.train()
    after = generate(tiny.decoder, requests, stop_ids=renderer.stop_ids)
    assert sum(one.stopped for one in before) <= 4
    assert sum(one.stopped for one in after) >= 198
