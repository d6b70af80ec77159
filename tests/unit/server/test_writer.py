"""Tokens → text: characters over several tokens, and stop strings that are never said."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from burnish.generate.request import Event
from burnish.model.checkpoint import read_checkpoint
from burnish.render.renderer import Renderer, make_renderer
from burnish.server.writer import Piece, Writer


@pytest.fixture(scope="module")
def renderer(tiny_folder: Path) -> Renderer:
    checkpoint = read_checkpoint(tiny_folder)
    return make_renderer(checkpoint.tokenizer, checkpoint.generation)


def written(renderer: Renderer, ids: list[int], *stops: str, stopped: bool = False) -> list[Piece]:
    """What a writer lets out for these tokens, up to its end."""
    writer, pieces = Writer(renderer, stops), []
    for at, token in enumerate(ids):
        last = at == len(ids) - 1
        pieces.append(writer.take(Event(1, token, -1.0, (), stopped and last, last)))
        if pieces[-1].finish:
            break
    return pieces


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_no_piece_holds_half_of_a_character(renderer: Renderer) -> None:
    text = "é 🙂 日本 \u0301x"
    ids = renderer.tokenizer.encode(text, add_special_tokens=False)
    pieces = written(renderer, ids)
    assert len(ids) > len(text)  # the tiny tokenizer writes them byte by byte
    assert text_of(pieces) == text
    assert not any("\ufffd" in piece.text for piece in pieces)
    cut = written(renderer, ids[:1])
    assert text_of(cut) == renderer.decode(ids[:1])  # an answer that ends there shows it


def test_a_stop_string_is_found_wherever_tokens_part_it(renderer: Renderer) -> None:
    """Against the plain rule, on random texts and stop strings over few letters: cut before the first occurrence."""
    chance = random.Random(0)
    for _ in range(300):
        text = "".join(chance.choice("ab🙂 ") for _ in range(chance.randrange(1, 25)))
        stops = ["".join(chance.choice("ab🙂 ") for _ in range(chance.randrange(1, 5))) for _ in range(2)]
        ids = renderer.tokenizer.encode(text, add_special_tokens=False)
        pieces = written(renderer, ids, *stops)
        found = [text.find(stop) for stop in stops if stop in text]
        # the earliest end is what a reader of tokens sees first; of two that end together, the earlier beginning
        ends = min((text.find(stop) + len(stop) for stop in stops if stop in text), default=None)
        if ends is None:
            assert text_of(pieces) == text
            assert pieces[-1].finish == "length"
        else:
            assert text_of(pieces) in {text[:at] for at in found}
            assert pieces[-1].finish == "stop"
        assert not any(stop in text_of(pieces) for stop in stops)


def test_every_token_is_handed_out_once_with_its_text(renderer: Renderer) -> None:
    ids = renderer.tokenizer.encode("the sky is blue 🙂 and", add_special_tokens=False)
    pieces = written(renderer, ids, "never")
    assert [event.token for piece in pieces for event in piece.tokens] == ids
    starts = [start for piece in pieces for start in piece.starts]
    assert starts == sorted(starts)
    cut = written(renderer, ids, "blue")
    kept = [event.token for piece in cut for event in piece.tokens]
    assert kept == ids[: len(kept)]
    assert text_of(cut) == "the sky is "
    assert renderer.decode(kept).startswith("the sky is ")  # the last one may have begun before the stop string


def test_the_stop_token_is_neither_text_nor_counted(renderer: Renderer) -> None:
    ids = renderer.tokenizer.encode("yes", add_special_tokens=False)
    (stop,) = renderer.stop_ids
    pieces = written(renderer, [*ids, stop], stopped=True)
    assert text_of(pieces) == "yes"
    assert sum(len(piece.tokens) for piece in pieces) == len(ids)
    assert pieces[-1].finish == "stop"
