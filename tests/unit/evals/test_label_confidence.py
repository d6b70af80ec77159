"""How sure a model is of its labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from burnish.core.records import Chat, Message
from burnish.evals.answer_ids import answer_ids
from burnish.evals.label_confidence import MOST_TOKENS, NOTHING, label_facts, weighing
from burnish.evals.task_data import TaskData
from burnish.graders.settings import LabelMetric, TextMetric
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import write_model

ROWS = tuple(Chat(f"row{n}", (Message("user", f"is {n} odd?"), Message("assistant", "odd"))) for n in range(40))
DATA = TaskData("label", LabelMetric(), 400, (), (), ROWS, (), labels=("even", "odd", "oddly"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Decoder, Renderer]:
    torch.set_num_threads(1)
    checkpoint = read_checkpoint(write_model(tmp_path_factory.mktemp("model")))
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    return decoder, make_renderer(checkpoint.tokenizer)


@torch.inference_mode()
def naive(decoder: Decoder, prompt: list[int], answer: list[int]) -> float:
    """log p of the answer, one sequence alone."""
    ids = [*prompt, *answer]
    hidden_T_D = decoder.hidden(plant([Segment(ids, [1.0] * len(ids))]))
    logits_T_V = decoder.logits(hidden_T_D).double()
    logprob_T_V = torch.log_softmax(logits_T_V, -1)
    return sum(float(logprob_T_V[len(prompt) + at - 1, token]) for at, token in enumerate(answer))


def test_confidence_is_the_share_of_the_likeliest_label_in_all(model: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = model
    wanted = weighing(DATA, renderer, None)
    prompts = [renderer.prompt(row.prompt) for row in ROWS[:3]]
    for prompt, row, facts in zip(prompts, ROWS, label_facts(decoder, wanted, ROWS[:3], prompts), strict=False):
        answers = [replace(row, messages=(*row.prompt, Message("assistant", label))) for label in DATA.labels]
        logprobs = torch.tensor([naive(decoder, prompt, answer_ids(renderer, one)) for one in answers])
        shares = torch.softmax(logprobs, 0)
        assert facts["label"] == DATA.labels[int(shares.argmax())]
        assert facts["confidence"] == pytest.approx(float(shares.max()), abs=1e-5)


def test_only_so_many_rows_are_weighed_and_the_same_ones_each_time(model: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = model
    few = weighing(DATA, renderer, 5)
    assert len(few.rows) == 5
    assert few == weighing(replace(DATA, test=ROWS[::-1]), renderer, 5)
    assert few.rows < weighing(DATA, renderer, 9).rows
    prompts = [renderer.prompt(row.prompt) for row in ROWS]
    assert sum(bool(facts) for facts in label_facts(decoder, few, ROWS, prompts)) == 5


def test_auto_takes_what_the_tokens_allow(model: tuple[Decoder, Renderer]) -> None:
    _, renderer = model
    assert len(weighing(DATA, renderer, None).rows) == 40  # few and short labels: all rows
    many = replace(DATA, labels=tuple(f"a label of many letters, number {n}" for n in range(200)))
    taken = weighing(many, renderer, None)
    assert 0 < len(taken.rows) * sum(len(ids) - 1 for ids in taken.label_ids) <= MOST_TOKENS


def test_other_tasks_and_zero_rows_weigh_nothing(model: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = model
    assert weighing(DATA, renderer, 0) == NOTHING
    assert weighing(replace(DATA, metric=TextMetric()), renderer, None) == NOTHING
    assert label_facts(decoder, NOTHING, ROWS[:2], [[1], [2]]) == [{}, {}]
