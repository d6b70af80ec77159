from __future__ import annotations

from dataclasses import replace

import pytest

from burnish.core.records import Chat, Message
from burnish.evals.prompt_examples import make_examples
from burnish.evals.prompts import Candidate, PromptMaker, candidates
from burnish.render.renderer import make_renderer
from tests.tiny import make_tokenizer

TRAIN = [
    Chat(str(n), (Message("user", f"question {n}"), Message("assistant", "odd" if n % 2 else "even")))
    for n in range(30)
]
ROW = Chat("t", (Message("user", "question 99"), Message("assistant", "odd")))


@pytest.fixture(scope="module")
def maker() -> PromptMaker:
    return PromptMaker(make_renderer(make_tokenizer()), {"written": "Say odd."}, make_examples(TRAIN, "label", 0), 512)


def test_examples_are_earlier_turns_and_instructions_the_system_message(maker: PromptMaker) -> None:
    messages = maker.messages(Candidate(2, "balanced", wording="written"), ROW)
    assert [message.role for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[0].content == "Say odd."
    assert messages[-1].content == "question 99"
    assert {messages[2].content, messages[4].content} == {"odd", "even"}


def test_one_message_holds_all_in_the_other_layout(maker: PromptMaker) -> None:
    (message,) = maker.messages(Candidate(1, "nearest", "message", "written"), ROW)
    assert message.content == "Say odd.\n\nInput: question 9\nOutput: odd\n\nInput: question 99\nOutput:"


def test_no_examples_and_no_wording_is_the_row_itself(maker: PromptMaker) -> None:
    assert maker.messages(Candidate(0), ROW) == list(ROW.prompt)


def test_instructions_join_the_rows_own_system_message_once(maker: PromptMaker) -> None:
    row = replace(ROW, messages=(Message("system", "You count."), *ROW.messages))
    told = replace(ROW, messages=(Message("system", "You count. Say odd."), *ROW.messages))
    plain = Candidate(0, wording="written")
    assert maker.messages(plain, row)[0].content == "You count.\n\nSay odd."
    assert maker.messages(plain, told)[0].content == "You count. Say odd."


def test_all_turns_before_the_last_answer_are_asked(maker: PromptMaker) -> None:
    turns = (
        Message("user", "hi"),
        Message("assistant", "hello"),
        Message("user", "and 3?"),
        Message("assistant", "odd"),
    )
    messages = maker.messages(Candidate(1, "balanced", wording="written"), replace(ROW, messages=turns))
    assert messages[-3:] == list(turns[:3])


def test_as_many_examples_are_shown_as_fit(maker: PromptMaker) -> None:
    def shown(room: int) -> int:
        prompt = replace(maker, room=room).prompt(Candidate(16, "nearest", wording="written"), ROW)
        assert len(prompt) <= room
        return maker.renderer.tokenizer.decode(prompt).count("question") - 1

    each = len(maker.renderer.row(TRAIN[0]).ids)
    assert shown(2000) == 16
    assert 1 <= shown(100 + 3 * each) < 16


def test_a_prompt_without_room_is_the_rows_own(maker: PromptMaker) -> None:
    prompt = replace(maker, room=5).prompt(Candidate(4, "balanced", wording="written"), ROW)
    assert prompt == maker.renderer.prompt(ROW.prompt)


def test_a_template_without_system_messages_gets_them_in_the_question() -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + tokenizer.chat_template
    )
    strict = PromptMaker(make_renderer(tokenizer), {"written": "Say odd."}, make_examples(TRAIN, "label", 0), 512)
    text = tokenizer.decode(strict.prompt(Candidate(0, wording="written"), ROW))
    assert "Say odd.\n\nquestion 99" in text


@pytest.mark.parametrize(
    ("most", "tried"),
    [(0, {0}), (1, {0, 1}), (3, {0, 2, 3}), (5, {0, 2, 4}), (6, {0, 2, 4, 6}), (16, {0, 2, 4, 8, 16})],
)
def test_candidates_keep_within_the_most_examples(most: int, tried: set[int]) -> None:
    assert {one.examples for one in candidates(["written"], most)} == tried


def test_no_candidate_is_tried_twice() -> None:
    assert len(set(candidates(["given", "both"], 16))) == len(candidates(["given", "both"], 16))


def test_a_candidate_survives_its_json() -> None:
    for one in candidates(["written"], 16):
        assert Candidate.from_json(one.to_json()) == one
