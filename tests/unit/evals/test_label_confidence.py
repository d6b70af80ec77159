"""How sure a model is of its labels."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from burnish.core.records import Chat, Message
from burnish.evals.answer_ids import answer_ids
from burnish.evals.label_confidence import MOST_TOKENS, NOTHING, label_facts, label_logprobs, weighing
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
    many = replace(DATA, test=tuple(replace(row, id=f"{row.id}-{n}") for row in ROWS for n in range(20)))
    taken = weighing(many, renderer, None)
    assert 40 < len(taken.rows) < 800
    assert len(taken.rows) * 2 * len(renderer.prompt(ROWS[0].prompt)) <= MOST_TOKENS


def test_labels_are_asked_until_the_rest_holds_a_hundredth_at_most(model: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = model
    labels = [answer_ids(renderer, replace(ROWS[0], messages=(*ROWS[0].prompt, Message("assistant", f"{a}{b}"))))
              for a in "abcdefgh" for b in ("x", "yy")]  # fmt: skip
    prompt = tuple(renderer.prompt(ROWS[0].prompt))
    (known,) = label_logprobs(decoder, [prompt], [tuple(ids) for ids in labels])
    exact = {place: naive(decoder, list(prompt), ids) for place, ids in enumerate(labels)}
    assert all(logprob == pytest.approx(exact[place], abs=1e-4) for place, logprob in known.items())
    left = sum(math.exp(logprob) for place, logprob in exact.items() if place not in known)
    assert left <= 0.01 * sum(math.exp(logprob) for logprob in known.values())


def test_the_unprompted_base_is_left_out_where_it_is_also_prompted(model: tuple[Decoder, Renderer]) -> None:
    _, renderer = model
    assert weighing(DATA, renderer, None, ["base", "prompted"]).left_out == "base"
    assert weighing(DATA, renderer, None, ["base"]).left_out == ""


def test_other_tasks_and_zero_rows_weigh_nothing(model: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = model
    assert weighing(DATA, renderer, 0) == NOTHING
    assert weighing(replace(DATA, metric=TextMetric()), renderer, None) == NOTHING
    assert label_facts(decoder, NOTHING, ROWS[:2], [[1], [2]]) == [{}, {}]
