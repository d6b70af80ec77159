from __future__ import annotations

from collections import Counter

from burnish.core.records import Chat, Message
from burnish.evals.prompt_examples import make_examples


def row(number: int, question: str, answer: str) -> Chat:
    return Chat(str(number), (Message("user", question), Message("assistant", answer)))


LABELLED = [row(n, f"question number {n}", "rare" if n in (7, 21) else "common") for n in range(40)]


def test_balanced_examples_take_one_of_each_label_in_turn() -> None:
    examples = make_examples(LABELLED, "label", seed=0)
    assert Counter(one.answer for one in examples.balanced(4)) == {"rare": 2, "common": 2}
    assert Counter(one.answer for one in examples.balanced(10)) == {"rare": 2, "common": 8}


def test_the_seed_alone_decides_the_order() -> None:
    first, again, other = (make_examples(LABELLED, "label", seed=seed).balanced(8) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_json_is_balanced_over_its_first_key() -> None:
    answers = ['{"kind": "a"}'] * 9 + ['{"kind": "b"}']
    pool = [row(n, "a question", answer) for n, answer in enumerate(answers)]
    assert len({one.answer for one in make_examples(pool, "json", seed=0).balanced(2)}) == 2


def test_nearest_examples_come_with_the_most_similar_last() -> None:
    questions = ["my card was stolen", "the weather is fine", "my card is broken", "tell me a joke"]
    examples = make_examples([row(n, q, "x") for n, q in enumerate(questions)], "label", seed=0)
    found = [one.messages[0].content for one in examples.nearest([Message("user", "is my card broken?")], 2)]
    assert found == ["my card was stolen", "my card is broken"]


def test_the_longest_tenth_serves_no_one_as_example() -> None:
    pool = [row(n, "x" * 10, "y") for n in range(19)] + [row(19, "x" * 1000, "y")]
    assert "19" not in {one.id for one in make_examples(pool, "text", seed=0).pool}


def test_a_pool_without_rows_gives_no_examples() -> None:
    assert make_examples([], "label", seed=0).balanced(3) == []
