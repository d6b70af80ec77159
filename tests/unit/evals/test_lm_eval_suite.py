"""Tasks of lm-eval, described by a file of our own with data of our own: nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("lm_eval", reason='lm-eval is not installed: pip install "burnish[eval]"')

from burnish.core.errors import DataError
from burnish.evals.lm_eval_suite import BurnishLM, _before, lm_eval_suite
from burnish.evals.memory_suite import MemorySuite
from burnish.evals.retention import choose_continuations
from burnish.evals.retention_settings import LmEvalTask
from burnish.evals.suites import Question
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import make_model, make_tokenizer, write_model

ROWS = [
    {"prompt": "the sky is", "choices": ["blue", "green"], "answer": 0},
    {"prompt": "the grass is", "choices": ["blue", "green"], "answer": 1},
    {"prompt": "the colour of the sky is", "choices": ["late", "blue"], "answer": 1},
]
CHOICE = {
    "output_type": "multiple_choice", "doc_to_text": "{{prompt}}", "doc_to_choice": "{{choices}}",
    "doc_to_target": "{{answer}}", "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
}  # fmt: skip
ANSWER = {
    "output_type": "generate_until", "doc_to_text": "{{prompt}}", "doc_to_target": "{{choices[answer]}}",
    "generation_kwargs": {"until": ["."], "max_gen_toks": 5},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Decoder, Renderer]:
    checkpoint = read_checkpoint(write_model(tmp_path_factory.mktemp("model")))
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    return decoder, make_renderer(checkpoint.tokenizer)


def task(tmp_path: Path, about: dict[str, object], renderer: Renderer, **more: object) -> MemorySuite:
    """A task over `ROWS`, described as lm-eval wants it (YAML, of which JSON is a part)."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    data = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(rows)}}, "test_split": "test"}
    file = tmp_path / "own_task.yaml"
    file.write_text(json.dumps({"task": "own_task", **data, **about}))
    return lm_eval_suite(LmEvalTask.model_validate({"task": str(file), **more}), renderer)


def test_a_choice_gets_the_scores_of_our_own_suites(tmp_path: Path, tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    suite = task(tmp_path, CHOICE, renderer)
    assert (suite.name, len(suite.rows), suite.plan["metric"], suite.plan["chance"]) == (
        "own_task", 3, "logprob_margin", 0.5,
    )  # fmt: skip
    items = suite.answer(decoder, "base", suite.rows, lambda count: None)
    asked = [Question(str(n), row["prompt"], tuple(row["choices"]), row["answer"]) for n, row in enumerate(ROWS)]
    wanted = choose_continuations(decoder, renderer, "own_task", "base", asked)
    assert [item.expected for item in items] == ["blue", "green", "blue"]
    for item, ours in zip(items, wanted, strict=True):
        assert item.scores["logprob_margin"] == pytest.approx(ours.scores["logprob_margin"], abs=1e-4)
        assert item.scores["correct"] == item.scores["acc"] == ours.scores["correct"]


def test_chunks_are_answered_as_the_whole_is(tmp_path: Path, tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    suite = task(tmp_path, CHOICE, renderer)
    whole = suite.answer(decoder, "base", suite.rows, lambda count: None)
    parts = [item for part in ([0], [1, 2]) for item in suite.answer(decoder, "base", part, lambda count: None)]
    assert [item.id for item in parts] == [item.id for item in whole] == ["0", "1", "2"]
    for one, other in zip(parts, whole, strict=True):
        assert one.scores["logprob_margin"] == pytest.approx(other.scores["logprob_margin"], abs=1e-4)


def test_answers_are_generated_up_to_the_stop(tmp_path: Path, tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    suite = task(tmp_path, ANSWER, renderer, items=2)
    assert (len(suite.rows), suite.plan["metric"]) == (2, "exact_match")
    items = suite.answer(decoder, "tuned", suite.rows, lambda count: None)
    assert [item.scores["exact_match"] for item in items] == [0.0, 0.0]
    assert all("." not in item.output for item in items)
    assert _before("one. two; three", [";", "."]) == "one"


def test_log_probabilities_are_those_of_transformers(tiny: tuple[Decoder, Renderer]) -> None:
    from lm_eval.api.instance import Instance

    request = Instance("loglikelihood", {}, ("the sky is ", "blue"), 0)
    ((logprob, _),) = BurnishLM(*tiny, greedy=True).loglikelihood([request])
    tokenizer = make_tokenizer()
    ids, prompt = (tokenizer.encode(text, add_special_tokens=False) for text in ("the sky is blue", "the sky is"))
    with torch.no_grad():
        logprobs = make_model(len(tokenizer))(torch.tensor([ids])).logits.log_softmax(-1)
    wanted = sum(float(logprobs[0, at - 1, ids[at]]) for at in range(len(prompt), len(ids)))
    assert logprob == pytest.approx(wanted, abs=1e-4)


def test_greedy_continuations_are_known_as_such(tiny: tuple[Decoder, Renderer]) -> None:
    from lm_eval.api.instance import Instance

    decoder, renderer = tiny
    model = BurnishLM(decoder, renderer, greedy=True)
    ids = tuple(renderer.tokenizer.encode("the sky is", add_special_tokens=False))
    from burnish.generate.engine import generate
    from burnish.generate.request import Request

    (said,) = generate(decoder, [Request(ids, 1)], stop_ids=())
    word = renderer.tokenizer.decode(said.tokens)
    requests = [Instance("loglikelihood", {}, ("the sky is", text), 0) for text in (word, " blue")]
    found = [greedy for _, greedy in model.loglikelihood(requests)]
    whole = renderer.tokenizer.encode("the sky is" + word, add_special_tokens=False)
    assert found[0] == (tuple(whole) == (*ids, *said.tokens))


def test_a_name_that_is_no_task_is_refused(tiny: tuple[Decoder, Renderer]) -> None:
    with pytest.raises(DataError, match="cannot load this task"):
        lm_eval_suite(LmEvalTask(task="no_such_task_at_all"), tiny[1])
