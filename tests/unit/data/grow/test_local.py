from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from burnish.core.asking import Answer, Asked, Model, Writer, answers
from burnish.core.records import Message
from burnish.data.grow.local import Local, local_asker
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.render.renderer import make_renderer

MODEL = Model("tiny", sha256="of the tests")


@pytest.fixture
def load(tiny_folder: Path) -> Callable[[], Local]:
    """The tiny model behind Burnish's own engine, as the pipeline puts it together."""

    def load() -> Local:
        checkpoint = read_checkpoint(tiny_folder)
        renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
        decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))

        def complete(asked: Sequence[tuple[tuple[int, ...], Asked]]) -> list[tuple[Sequence[int], bool]]:
            requests = [Request(prompt, one.max_new_tokens, one.temperature, one.seed) for prompt, one in asked]
            found = generate(decoder, requests, stop_ids=renderer.stop_ids)
            return [(one.tokens, one.stopped) for one in found]

        return Local(renderer, decoder.config.context, complete)

    return load


def request(text: str, seed: int = 1, temperature: float = 30.0) -> Asked:
    return Asked((Message("user", text),), 12, temperature, seed)


def test_the_engine_answers_each_request_by_itself(load: Callable[[], Local]) -> None:
    ask = local_asker(load)
    texts = ["the sky", "which parcel of mine is late?", "refund"]
    together = list(ask([request(text) for text in texts]))
    assert together == [next(iter(ask([request(text)]))) for text in texts]
    assert all(one.text and not one.whole for one in together)  # random weights do not stop within 12 tokens


def test_what_is_sampled_depends_on_the_seed(load: Callable[[], Local]) -> None:
    ask = local_asker(load)
    one, same, other = ask([request("the sky", 1), request("the sky", 1), request("the sky", 2)])
    assert one == same
    assert one != other


def test_a_request_longer_than_the_context_is_refused_and_the_others_are_answered(load: Callable[[], Local]) -> None:
    found = list(local_asker(load)([request("the sky"), request("grass " * 600), request("blue")]))
    assert [bool(one.refused) for one in found] == [False, True, False]
    assert "the model takes 512" in found[1].refused


def test_the_model_is_read_once_and_not_at_all_when_every_answer_is_kept(
    load: Callable[[], Local], tmp_path: Path
) -> None:
    loads: list[int] = []

    def counted() -> Local:
        loads.append(1)
        return load()

    kept = tmp_path / "kept.jsonl"
    asked = [request(f"number {n}") for n in range(40)]  # two batches
    first: list[Answer] = list(answers(asked, Writer(MODEL, local_asker(counted)), kept))
    assert len(loads) == 1
    assert list(answers(asked, Writer(MODEL, local_asker(counted)), kept)) == first
    assert len(loads) == 1
