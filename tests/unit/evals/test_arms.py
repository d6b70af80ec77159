from __future__ import annotations

from burnish.core.records import Chat, Message
from burnish.evals.arms import answer_room
from burnish.render.renderer import make_renderer
from tests.tiny import make_tokenizer

RENDERER = make_renderer(make_tokenizer())


def rows(*answers: str) -> list[Chat]:
    return [Chat(str(n), (Message("user", "?"), Message("assistant", answer))) for n, answer in enumerate(answers)]


def test_room_is_half_more_than_the_longest_usual_answer() -> None:
    # 20 digits are 20 tokens: 1.5 · 20 + 16 = 46
    assert answer_room(rows("7" * 20, "7"), RENDERER, 400) == 46


def test_one_odd_answer_of_many_does_not_set_the_room() -> None:
    assert answer_room(rows(*["7" * 20] * 200, "7" * 300), RENDERER, 400) == 46


def test_room_leaves_half_the_context_to_the_prompt() -> None:
    assert answer_room(rows("7" * 390), RENDERER, 400) == 200
