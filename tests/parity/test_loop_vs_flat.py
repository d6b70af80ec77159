"""The package's loop and the one-page script give the same losses, step by step."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from burnish.adapt import methods
from burnish.adapt.settings import LoRASettings
from burnish.core.files import read_jsonl
from burnish.core.records import Chat, Message
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.load import build_decoder
from burnish.objectives.sft import SFT
from burnish.render.renderer import make_renderer
from burnish.train.loop import Rows, train
from burnish.train.rules import Plan
from burnish.train.settings import TrainSettings
from tests.tiny import make_model, make_tokenizer

CPU = torch.device("cpu")
STEPS, PER_UPDATE = 20, 3
PAIRS = [
    ("which colour is the sky?", "blue"),
    ("and the grass?", "the grass is green, of course"),
    ("where is my parcel", "refund"),
    ("is it late?", "it is late, the order went out on the third day"),
    ("one", "two three"),
    ("an emoji 🦊 and é", "ü 🦊"),
    ("line\none", "two\nlines"),
]


@pytest.fixture(scope="module")
def flat() -> ModuleType:
    """examples/sft_flat.py as a module."""
    path = Path(__file__).parents[2] / "examples" / "sft_flat.py"
    spec = importlib.util.spec_from_file_location("sft_flat", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sft_flat"] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("tied", [True, False])
def test_both_give_the_same_losses_step_by_step(flat: ModuleType, tmp_path: Path, tied: bool) -> None:
    tokenizer = make_tokenizer()
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in PAIRS), "utf-8")
    rate, warmup, clip = 1e-2, 2, 0.1  # a high rate and a low clip, so that both matter
    settings = flat.Settings(STEPS, PER_UPDATE, rate, warmup, clip, r=4, alpha=12.0, seed=5)
    theirs = make_model(len(tokenizer), tied=tied)
    expected = flat.train(theirs, tokenizer, flat.read_rows(data), settings)

    model = make_model(len(tokenizer), tied=tied)
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=torch.float32, device=CPU)
    methods.apply(decoder, LoRASettings(r=4, alpha=12.0), seed=5)
    renderer = make_renderer(tokenizer)
    chats = [Chat(str(i), (Message("user", p), Message("assistant", c))) for i, (p, c) in enumerate(PAIRS)]
    rows = Rows([renderer.row(chat) for chat in chats], [chat.id for chat in chats])
    plan = Plan(len(PAIRS), STEPS, PER_UPDATE, 64, rate, warmup, evaluate_every=STEPS, save_every=STEPS)
    run = RunFolder(tmp_path / "run")
    run.create()
    train(run, decoder, methods.trainable(decoder), SFT(), rows, rows, plan, TrainSettings(clip=clip, seed=5),
          World(0, 1, CPU), lambda text: None)  # fmt: skip

    lines = read_jsonl(run.metrics)
    losses = [line["loss"] for line in lines]
    assert losses[-1] < 0.96 * losses[0]
    assert any(line["grad_norm"] > clip for line in lines)
    assert [line["learning_rate"] for line in lines] == [flat.rate_at(step, settings) for step in range(STEPS)]
    # The sums are taken in another order (packed rows, a fused attention product): 7e-7 was seen in float32.
    assert losses == pytest.approx(expected, rel=1e-5)


def test_the_script_renders_as_the_package_does(flat: ModuleType) -> None:
    tokenizer = make_tokenizer()
    talk = [Message("system", "be brief"), Message("user", "one"), Message("assistant", "two"),
            Message("user", "the sky?"), Message("assistant", "blue\n")]  # fmt: skip
    rendered = make_renderer(tokenizer).row(Chat("1", tuple(talk)))
    assert flat.render(tokenizer, [message.to_json() for message in talk]) == (rendered.ids, rendered.weights)


def test_the_script_stands_alone() -> None:
    text = (Path(__file__).parents[2] / "examples" / "sft_flat.py").read_text("utf-8")
    assert "import burnish" not in text
    assert "from burnish" not in text
