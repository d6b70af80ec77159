from pathlib import Path

import pytest

from burnish.core.records import Message, Pair
from burnish.data.review.tokens import token_views
from burnish.model.checkpoint import read_checkpoint
from burnish.render.renderer import Renderer, make_renderer
from tests.unit.data.review.conftest import ticket


@pytest.fixture(scope="module")
def renderer(tiny_folder: Path) -> Renderer:
    checkpoint = read_checkpoint(tiny_folder)
    return make_renderer(checkpoint.tokenizer, checkpoint.generation)


def test_the_tokens_are_those_that_are_trained_on(renderer: Renderer) -> None:
    row = ticket(1)
    (view,) = token_views(renderer)(row)
    rendered = renderer.row(row)
    assert view.summary == f"{len(rendered.ids)} tokens, {rendered.trained} learnt"
    assert "".join(token.text for token in view.tokens if token.learnt and not token.special).strip() == row.answer
    assert "Order 1: where is it" in "".join(token.text for token in view.tokens if not token.learnt)


def test_a_pair_has_both_answers(renderer: Renderer) -> None:
    views = token_views(renderer)(Pair("1", (Message("user", "Which?"),), "this one", "that one"))
    assert [view.title for view in views] == ["chosen", "rejected"]
