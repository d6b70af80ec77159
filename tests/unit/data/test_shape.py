import pytest

from burnish.core.records import Chat, Message, Text
from burnish.data.shape import AnswerShape, answer_shape


def rows(answers: list[str]) -> list[Chat]:
    return [Chat(str(n), (Message("user", f"q{n}"), Message("assistant", text))) for n, text in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "shape"),
    [
        (["yes", "no "] * 6, AnswerShape("label", labels=("no", "yes"))),
        (["1", "2", "3", "4", "5"] * 4, AnswerShape("label", labels=("1", "2", "3", "4", "5"))),
        ([str(number) for number in range(40)], AnswerShape("number")),
        ([f"so it is {n}.\n#### {n},000.5" for n in range(40)], AnswerShape("number")),
        ([f'{{"a": {n}, "b": 1}}' for n in range(40)], AnswerShape("json", json_keys=("a", "b"))),
        (["[1]"] * 4 + [f"a sentence of its own, number {n}" for n in range(40)], AnswerShape("text")),
        ([f"name {n}" for n in range(40)], AnswerShape("text")),
        (["the same long answer in many more words"] * 9, AnswerShape("text")),
        ([], AnswerShape("text")),
    ],
)
def test_answers_have_a_shape(answers: list[str], shape: AnswerShape) -> None:
    assert answer_shape(rows(answers)) == shape


def test_many_labels_are_labels_in_a_small_sample_too() -> None:
    # 60 rows over 40 labels: 20 occur twice, 20 once; 20 of 60 rows hold an answer seen once, just a third
    answers = [f"label {n % 40}" for n in range(60)]
    assert answer_shape(rows(answers)).kind == "label"
    assert answer_shape(rows(answers[:59])).kind == "text"


def test_one_json_answer_in_twenty_may_be_broken() -> None:
    assert answer_shape(rows(['{"a": 1}'] * 19 + ["sorry"])).kind == "json"
    assert answer_shape(rows(['{"a": 1}'] * 18 + ["sorry"] * 2)).kind != "json"


def test_plain_text_has_no_answers() -> None:
    assert answer_shape([Text("1", "yes")] * 9) == AnswerShape("text")
