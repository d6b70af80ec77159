from typing import Any

import pytest

from burnish.core.errors import DataError
from burnish.data.read import Raw
from burnish.data.recognise import Format, recognise, template_keys, unread_keys
from burnish.data.settings import DataSettings


def seen(*rows: dict[str, Any], like: Format | None = None, **settings: Any) -> Format:
    raws = [Raw(f"f:{number}", row) for number, row in enumerate(rows)]
    return recognise(raws, DataSettings(train="f", **settings), "f", like)


TURN = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"messages": [TURN]}, Format("messages", turns="messages")),
        ({"id": 1, "conversations": [{"from": "human", "value": "hi"}]}, Format("sharegpt", turns="conversations")),
        ({"prompt": "a", "completion": "b"}, Format("prompt_completion", prompt="prompt", completion="completion")),
        ({"Question": "a", "Answer": "b"}, Format("prompt_completion", prompt="Question", completion="Answer")),
        ({"text": "a", "category": "b"}, Format("prompt_completion", prompt="text", completion="category")),
        ({"mr": "a", "ref": "b"}, Format("prompt_completion", prompt="mr", completion="ref")),
        ({"document": "a", "summary": "b"}, Format("prompt_completion", prompt="document", completion="summary")),
        (
            {"instruction": "a", "input": "", "output": "b"},
            Format("alpaca", prompt="instruction", context="input", completion="output"),
        ),
        (
            {"instruction": "a", "context": "", "response": "b", "category": "c"},
            Format("alpaca", prompt="instruction", context="context", completion="response"),
        ),
        ({"text": "a", "url": "b"}, Format("text", text="text")),
        (
            {"prompt": "a", "chosen": "b", "rejected": "c"},
            Format("preference", prompt="prompt", completion="chosen", rejected="rejected"),
        ),
        ({"chosen": "b", "rejected": "c"}, Format("preference", completion="chosen", rejected="rejected")),
        (
            {"input": {"messages": [TURN]}, "preferred_output": [], "non_preferred_output": []},
            Format("preference", prompt="input", completion="preferred_output", rejected="non_preferred_output"),
        ),
    ],
)
def test_a_layout_is_known_by_its_keys(row: dict[str, Any], expected: Format) -> None:
    assert seen(row) == expected


def test_of_two_unnamed_columns_the_one_with_repeated_values_is_the_answer() -> None:
    rows = [{"art": "ja" if number % 2 else "nein", "satz": f"Satz {number}"} for number in range(12)]
    assert seen(*rows) == Format("prompt_completion", prompt="satz", completion="art")


def test_a_translation_could_go_either_way_so_it_is_asked_for() -> None:
    rows = [{"en": f"word {number}", "deu": f"Wort {number}"} for number in range(12)]
    with pytest.raises(DataError, match=r"'en', 'deu'[\s\S]*prompt: KEY, completion: KEY"):
        seen(*rows)
    assert seen(*rows, prompt="deu", completion="en") == Format("columns", prompt="deu", completion="en")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "kwargs": []}, "prompt: prompt, completion: KEY"),
        ({"query": "a", "choices": [], "gold": 1}, "prompt: query, completion: KEY"),
        ({"context": "a", "question": "b", "answer": "c"}, "template: '{context}"),
    ],
)
def test_what_cannot_be_told_is_an_error_with_the_line_to_write(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        seen(row)


def test_a_template_names_its_columns() -> None:
    assert template_keys("{{x}} {question}\n{a b}:") == ("question", "a b")
    found = seen({"question": "a", "hint": "b", "answer": "c"}, template="{hint}: {question}")
    assert found == Format("columns", completion="answer", template="{hint}: {question}")
    with pytest.raises(DataError, match="did you mean 'question'"):
        seen({"question": "a", "answer": "c"}, template="{qestion}")


def test_a_format_asked_for_is_the_only_one_tried() -> None:
    row = {"text": "a", "label": "b"}
    assert seen(row, format="text") == Format("text", text="text")
    with pytest.raises(DataError, match="not laid out as `messages`"):
        seen(row, format="messages")


def test_a_test_file_is_read_as_train_was() -> None:
    like = Format("prompt_completion", prompt="satz", completion="art")
    assert seen({"satz": "a", "art": "b"}, like=like) == like


def test_keys_left_out_are_known() -> None:
    found = Format("prompt_completion", prompt="q", completion="a")
    assert unread_keys(found, {"id": 1, "q": "x", "a": "y", "system": "z"}) == ["id"]
