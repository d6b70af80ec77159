from __future__ import annotations

import re

from burnish.core.records import Text
from burnish.evals.retention_settings import SUITES
from burnish.evals.set_aside import passages
from burnish.evals.suites import Instruction, Passage, Question, shipped
from burnish.guards.general import general_rows

RUN = 6  # words


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def test_no_six_words_stand_in_a_suite_of_the_verdict() -> None:
    aside = set().union(*(runs(passage.text) for passage in passages()))
    for name in SUITES:
        for item in shipped(name):
            texts = [item.text] if isinstance(item, Passage) else [item.prompt]
            if isinstance(item, Question):
                texts = [f"{item.prompt} {choice}" for choice in item.choices]
            shared = aside & set().union(*map(runs, texts))
            assert not shared, (name, item.id, isinstance(item, Instruction), shared)


def test_no_six_words_stand_in_the_general_rows_that_guards_learn() -> None:
    aside = set().union(*(runs(passage.text) for passage in passages()))
    for row in general_rows():
        texts = [row.text] if isinstance(row, Text) else [message.content for message in row.messages]
        assert not aside & set().union(*map(runs, texts)), row.id


def test_there_are_forty_passages_each_once() -> None:
    read = passages()
    assert len({passage.id for passage in read}) == len({passage.text for passage in read}) == 40
