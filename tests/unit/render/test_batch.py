"""Rows rendered together are the rows rendered one by one, for every kind of row and twelve families of templates."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from tokenizers import Tokenizer

from burnish.core.errors import DataError
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.render.batch import MOST_CHARACTERS, MOST_ROWS, Length, measure_rows, render_rows
from burnish.render.renderer import Rendered, RenderedPair, Renderer, make_renderer
from tests.invariants.templates import FAMILIES, SPECIAL, byte_tokenizer, tokenizer_of

WORDS = [
    *("the sky", " blue", "\n", "  ", "🦊", "é漢字", "1 2 3", "\ue000", "<think>hm</think>\n", "<|im_<|im_end|>end|>"),
    *SPECIAL[:12],
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return byte_tokenizer()


def some_rows(count: int, seed: int = 0) -> list[Row]:
    """Of every kind; some begin with a system message, some with an answer, which certain templates refuse."""
    chance = random.Random(seed)

    def text() -> str:
        return "".join(chance.choice(WORDS) for _ in range(chance.randint(0, 6)))

    def talk(messages: int) -> tuple[Message, ...]:
        first = chance.choice([0, 0, 0, 1])
        said = [
            Message("assistant" if (n + first) % 2 else "user", text(), trained=chance.random() < 0.8)
            for n in range(messages)
        ]
        return (Message("system", text()), *said) if chance.random() < 0.3 else tuple(said)

    def row(number: int) -> Row:
        name = str(number)
        match number % 6:
            case 0 | 1:
                return Chat(name, talk(2 * chance.randint(1, 3)))
            case 2:
                return Text(name, text())
            case 3:
                return Pair(name, talk(2 * chance.randint(0, 2) + 1), text(), text())
            case 4:
                return Rated(name, talk(2 * chance.randint(0, 2) + 1), text(), True)
        return Prompt(name, talk(2 * chance.randint(0, 2) + 1))

    return [row(number) for number in range(count)]


def alone(renderer: Renderer, row: Row) -> Rendered | RenderedPair | DataError:
    try:
        return renderer.pair(row) if isinstance(row, Pair) else renderer.row(row)
    except DataError as error:
        return error


def lengths(rendered: Rendered | RenderedPair | DataError) -> tuple[Length, ...] | str:
    match rendered:
        case DataError():
            return str(rendered)
        case RenderedPair():
            parts = (rendered.chosen, rendered.rejected)
        case Rendered():
            parts = (rendered,)
    return tuple(Length(len(part.ids), part.trained) for part in parts)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_of_a_batch_are_what_each_is_alone(tokenizer: Tokenizer, name: str) -> None:
    renderer, rows = make_renderer(tokenizer_of(FAMILIES[name], tokenizer)), some_rows(120)
    wanted = [alone(renderer, row) for row in rows]
    got = list(render_rows(renderer, rows))
    assert [str(one) for one in got] == [str(one) for one in wanted]  # an error is compared by all that it says
    measured = [str(one) if isinstance(one, DataError) else one for one in measure_rows(renderer, rows)]
    assert measured == [lengths(one) for one in wanted]


def test_a_row_that_the_template_refuses_leaves_the_others_alone(tokenizer: Tokenizer) -> None:
    renderer = make_renderer(tokenizer_of(FAMILIES["Gemma"], tokenizer))
    system, rest = Message("system", "Be brief."), (Message("user", "a"), Message("assistant", "b"))
    first, second, third = render_rows(renderer, [Chat("1", rest), Chat("2", (system, *rest)), Chat("3", rest)])
    assert isinstance(second, DataError)
    assert second.seen == "no system role"
    assert first == third == renderer.row(Chat("1", rest))


def test_a_pair_whose_answers_look_the_same_is_an_error(tokenizer: Tokenizer) -> None:
    renderer = make_renderer(tokenizer_of(FAMILIES["Gemma"], tokenizer))  # trims answers
    asked = (Message("user", "a"),)
    for made in (render_rows, measure_rows):
        same, other = made(renderer, [Pair("1", asked, "b", " b"), Pair("2", asked, "b", "c")])
        assert isinstance(same, DataError)
        assert not isinstance(other, DataError)


def test_no_more_rows_wait_than_a_batch_holds(tokenizer: Tokenizer) -> None:
    renderer = make_renderer(tokenizer_of(FAMILIES["ChatML"], tokenizer))
    taken = 0

    def rows(text: str) -> Iterator[Row]:
        nonlocal taken
        for number in range(10 * MOST_ROWS):
            taken += 1
            yield Text(str(number), text)

    next(measure_rows(renderer, rows("blue")))
    assert taken == MOST_ROWS
    taken = 0
    next(measure_rows(renderer, rows("the sky " * (MOST_CHARACTERS // 32))))  # a quarter of the characters each
    assert taken == 4


def test_a_talk_of_ten_thousand_turns_is_measured_without_a_look_at_each_answer(tokenizer: Tokenizer) -> None:
    # Rendering every beginning of it took minutes and gigabytes, only for the row to be left out as too long.
    renderer = make_renderer(tokenizer_of(FAMILIES["ChatML"], tokenizer))
    turns = [Message("user", "a"), Message("assistant", "b")]
    long, short = Chat("1", tuple(turns * 5000)), Chat("2", tuple(turns * 150))
    started = time.process_time()
    (whole,), (counted,) = measure_rows(renderer, [long, short], most=20_000)
    assert time.process_time() - started < 5
    assert whole.tokens == whole.learnt > 20_000
    (exact,) = measure_rows(renderer, [short])
    assert (counted,) == exact  # it fits, so its answers are counted
    assert 0 < counted.learnt < counted.tokens


def test_no_rows_give_nothing(tokenizer: Tokenizer) -> None:
    renderer = make_renderer(tokenizer_of(FAMILIES["ChatML"], tokenizer))
    assert list(render_rows(renderer, [])) == list(measure_rows(renderer, [])) == []
