from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from burnish.core.records import Chat, Message
from burnish.evals.task import answer_losses
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import make_model, write_model

TURNS = (
    Message("user", "which parcel?"),
    Message("assistant", "mine"),
    Message("user", "late?"),
    Message("assistant", "no"),
)
ROW = Chat("r", TURNS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Decoder, Renderer]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    checkpoint = read_checkpoint(write_model(tmp_path_factory.mktemp("model")))
    decoder = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    yield decoder, make_renderer(checkpoint.tokenizer)
    torch.set_num_threads(threads)


def test_answer_loss_is_over_the_last_answer_with_its_end(tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    prompt = renderer.prompt(ROW.prompt)
    answer = renderer.tokenizer.encode("no<|im_end|>")
    ids = torch.tensor([prompt + answer])
    with torch.no_grad():
        logprobs = make_model(len(renderer.tokenizer))(ids).logits.log_softmax(-1)[0]
    wanted = [-float(logprobs[len(prompt) - 1 + place, token]) for place, token in enumerate(answer)]
    (loss,) = answer_losses(decoder, renderer, [prompt], [ROW])
    assert loss == pytest.approx(sum(wanted) / len(wanted), abs=1e-4)


def test_a_prompt_that_leaves_no_room_loses_its_beginning(tiny: tuple[Decoder, Renderer]) -> None:
    decoder, renderer = tiny
    prompt = renderer.prompt(ROW.prompt)
    room = decoder.config.context - len(renderer.tokenizer.encode("no<|im_end|>"))
    assert len(prompt) < room
    filled = prompt[:1] * (room - len(prompt)) + prompt
    long, cut = answer_losses(decoder, renderer, [[9, 9, 9, *filled], filled], [ROW, ROW])
    assert long == pytest.approx(cut, abs=1e-5)


def test_one_message_is_shown_as_it_is_and_several_with_roles() -> None:
    assert Chat("s", TURNS[:2]).prompt_text == "which parcel?"
    assert ROW.prompt_text == "user: which parcel?\n\nassistant: mine\n\nuser: late?"
