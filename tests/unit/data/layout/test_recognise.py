from typing import Any

import pytest

from burnish.core.errors import DataError
from burnish.data.layout.format import Format
from burnish.data.layout.recognise import recognise
from burnish.data.settings import DataSettings

USER, ANSWER = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}
HUMAN, GPT = {"from": "human", "value": "hi"}, {"from": "gpt", "value": "yo"}
DIALOGUE = "\n\nHuman: hi\n\nAssistant: yo"


def seen(*rows: dict[str, Any], like: Format | None = None, names: Any = None, **settings: Any) -> Format:
    return recognise(rows, DataSettings(train="f", **settings), "f", like=like, label_names=names)


def pair(prompt: str, completion: str) -> Format:
    return Format("prompt_completion", prompt=prompt, completion=completion)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"messages": [USER, ANSWER]}, Format("messages", turns="messages")),
        ({"messages": [USER, ANSWER], "tools": [{}], "functions": [{}]}, Format("messages", turns="messages")),
        ({"messages": '[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]'},
         Format("messages", turns="messages")),
        ({"messages": [USER, ANSWER], "score": 4.5}, Format("messages", turns="messages")),
        ({"id": 1, "conversations": [HUMAN, GPT]}, Format("sharegpt", turns="conversations")),
        ({"prompt": "a", "completion": "b"}, pair("prompt", "completion")),
        ({"Question": "a", "Answer": "b"}, pair("Question", "Answer")),
        ({"text": "a", "category": "b"}, pair("text", "category")),
        ({"mr": "a", "ref": "b"}, pair("mr", "ref")),
        ({"document": "a", "summary": "b"}, pair("document", "summary")),
        ({"problem": "a", "solution": "b"}, pair("problem", "solution")),
        ({"prompt": [USER], "completion": [ANSWER]}, pair("prompt", "completion")),
        ({"instruction": "a", "input": "", "output": "b"},
         Format("alpaca", prompt="instruction", context="input", completion="output")),
        ({"instruction": "a", "input": "", "output": "b", "history": [], "score": 3},
         Format("alpaca", prompt="instruction", context="input", completion="output", history="history")),
        ({"instruction": "a", "context": "", "response": "b", "category": "c"},
         Format("alpaca", prompt="instruction", context="context", completion="response")),
        ({"text": "a", "url": "b"}, Format("text", text="text")),
        ({"text": DIALOGUE}, Format("dialogue", text="text")),
        ({"text": "### Human: hi### Assistant: yo"}, Format("dialogue", text="text")),
    ],
)  # fmt: skip
def test_rows_to_learn_as_they_stand_are_known_by_their_keys(row: dict[str, Any], expected: Format) -> None:
    assert seen(row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "a", "chosen": "b", "rejected": "c"},
         Format("preference", prompt="prompt", completion="chosen", rejected="rejected")),
        ({"chosen": DIALOGUE, "rejected": DIALOGUE}, Format("preference", completion="chosen", rejected="rejected")),
        ({"instruction": "a", "input": "", "chosen": "b", "rejected": "c"},
         Format("preference", prompt="instruction", context="input", completion="chosen", rejected="rejected")),
        ({"conversations": [HUMAN], "chosen": GPT, "rejected": GPT},
         Format("preference", prompt="conversations", completion="chosen", rejected="rejected")),
        ({"input": {"messages": [USER]}, "preferred_output": [], "non_preferred_output": []},
         Format("preference", prompt="input", completion="preferred_output", rejected="non_preferred_output")),
        ({"prompt": "a", "completion": "b", "label": True},
         Format("rated", prompt="prompt", completion="completion", score="label")),
        ({"prompt": "a", "completion": "b", "label": "False"},
         Format("rated", prompt="prompt", completion="completion", score="label")),
        ({"instruction": "a", "input": "", "output": "b", "kto_tag": False},
         Format("rated", prompt="instruction", context="input", completion="output", score="kto_tag")),
        ({"messages": [USER, ANSWER], "label": True}, Format("rated", turns="messages", score="label")),
        ({"prompt": "a", "response": "b", "score": 0.5},
         Format("rated", prompt="prompt", completion="response", score="score")),
        ({"question": "a", "answer": "b", "label": "sport"}, pair("question", "answer")),
        ({"messages": [USER], "reference_answer": "yo"}, Format("prompts", turns="messages")),
        ({"messages": [USER]}, Format("prompts", turns="messages")),
        ({"messages": [USER, ANSWER, USER], "ground_truth": "yo"}, Format("prompts", turns="messages")),
        ({"messages": [USER, ANSWER, USER], "topic": "x"}, Format("messages", turns="messages")),
        ({"prompt": [USER], "reward_model": {"ground_truth": "yo"}, "data_source": "x"},
         Format("prompts", prompt="prompt")),
        ({"prompt": "a", "ground_truth": "b"}, Format("prompts", prompt="prompt")),
    ],
)  # fmt: skip
def test_rows_for_preferences_ratings_and_rewards_are_known_by_their_keys(
    row: dict[str, Any], expected: Format
) -> None:
    assert seen(row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"title": "t", "context": "a", "question": "b", "answers": {"text": ["c"], "answer_start": [0]}},
         Format("question_answer", prompt="question", context="context", completion="answers.text.0")),
        ({"context": "a", "question": "b", "answer": "c"},
         Format("question_answer", prompt="question", context="context", completion="answer")),
        ({"passage": "a", "question": "b", "answer": True},
         Format("question_answer", prompt="question", context="passage", completion="answer")),
        ({"question": "b", "answers": ["c", "d"]},
         Format("question_answer", prompt="question", completion="answers.0")),
        ({"question": "b", "answers": [{"text": "c"}]},
         Format("question_answer", prompt="question", completion="answers.0.text")),
        ({"question": "a", "answer": {"value": "b", "aliases": ["b"]}},
         Format("question_answer", prompt="question", completion="answer.value")),
        ({"question": "a", "answer": ["b"]}, pair("question", "answer")),
        ({"question": "a", "answer": {"value": "b"}}, pair("question", "answer")),
        ({"query": "a", "choices": ["b", "c"], "gold": 1},
         Format("choice", prompt="query", choices="choices", completion="gold")),
        ({"ctx": "a", "ctx_a": "a", "endings": ["b", "c"], "label": "0"},
         Format("choice", prompt="ctx", choices="endings", completion="label")),
        ({"question": "a", "choices": {"text": ["b", "c"], "label": ["1", "2"]}, "answerKey": "2"},
         Format("choice", prompt="question", choices="choices", completion="answerKey")),
        ({"article": "p", "question": "a", "options": ["b", "c"], "answer": "A"},
         Format("choice", prompt="question", context="article", choices="options", completion="answer")),
    ],
)  # fmt: skip
def test_questions_with_passages_and_choices_are_known_by_their_keys(row: dict[str, Any], expected: Format) -> None:
    assert seen(row) == expected


def test_places_that_count_from_one_are_not_trusted() -> None:
    rows = [{"question": "a", "choices": ["b", "c"], "answer": place} for place in (1, 2)]
    with pytest.raises(DataError, match="'choices' too, which the answer may need"):
        seen(*rows)


def test_of_two_unnamed_columns_the_one_with_repeated_values_is_the_answer() -> None:
    rows = [{"art": "ja" if number % 2 else "nein", "satz": f"Satz {number}"} for number in range(12)]
    assert seen(*rows) == pair("satz", "art")


def test_a_translation_could_go_either_way_so_it_is_asked_for() -> None:
    rows = [{"en": f"word {number}", "deu": f"Wort {number}"} for number in range(12)]
    with pytest.raises(DataError, match=r"'en', 'deu'[\s\S]*prompt: KEY, completion: KEY"):
        seen(*rows)
    assert seen(*rows, prompt="deu", completion="en") == Format("columns", prompt="deu", completion="en")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "kwargs": []}, r"prompt: prompt, completion: KEY\}; or, .* add format: prompts"),
        ({"query": "a", "choices": [], "gold": 1}, "prompt: query, completion: KEY"),
        ({"prompt": "a", "context": "b", "completion": "c"}, "template: '{context}"),
        ({"question": "a", "sentence": "b", "label": "c"}, "template: '{sentence}"),
        ({"sentence": "a", "option1": "b", "option2": "c", "answer": "1"}, "template: '{option1}"),
        ({"tokens": ["a"], "ner_tags": [0]},
         r"template: '\{words\(tokens\)\}' and completion_template: '\{entities\(tokens, ner_tags\)\}'"),
        ({"a": 1, "b": 2}, "no key holds the answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_an_error_with_the_keys_and_the_line_to_write(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        seen(row)
    assert all(repr(key) in caught.value.seen for key in row)


def test_a_format_asked_for_is_the_only_one_tried() -> None:
    row = {"text": "a", "label": "b"}
    assert seen(row, format="text") == Format("text", text="text")
    with pytest.raises(DataError, match="not laid out as `messages`"):
        seen(row, format="messages")
    with pytest.raises(DataError, match="format: rated, score: KEY"):
        seen(row, format="rated")
    assert seen({"question": "a", "answer": "b"}, format="prompts") == Format("prompts", prompt="question")
    assert seen({"chosen": DIALOGUE, "rejected": DIALOGUE}, format="dialogue") == Format("dialogue", text="chosen")


def test_a_test_file_is_read_as_train_was() -> None:
    like = Format("question_answer", prompt="satz", completion="art.text.0")
    assert seen({"satz": "a", "art": {"text": []}}, like=like) == like
    assert seen({"messages": [USER, ANSWER]}, like=like).name == "messages"


def test_numbered_labels_take_their_names_from_the_user_or_from_the_file() -> None:
    rows = [{"text": f"row {number}", "label": number % 2} for number in range(12)]
    assert seen(*rows).labels == ()
    assert seen(*rows, names={"label": ("bad", "good"), "other": ("x",)}).labels == ("bad", "good")
    assert seen(*rows, names={"label": ("bad", "good")}, labels=["no", "yes"]).labels == ("no", "yes")
    tagged = {"tokens": ["a"], "tags": [1]}
    template = {"template": "{words(tokens)}", "completion_template": "{entities(tokens, tags)}"}
    assert seen(tagged, names={"tags": ("O", "B-x")}, **template).labels == ("O", "B-x")


def test_only_the_first_rows_are_looked_at() -> None:
    rows = [{"prompt": "a", "completion": "b"}] * 500 + [{"messages": [USER, ANSWER]}] * 600
    assert seen(*rows) == pair("prompt", "completion")


def test_a_table_without_a_header_is_refused() -> None:
    """Its first row was taken for the names of the columns and lost, without a word."""
    rows = [{"Ticket 0": f"Ticket {n}", "wish": "bug" if n % 2 else "wish"} for n in range(1, 40)]
    with pytest.raises(
        DataError, match=r"not the names[\s\S]*'wish' also stands in rows below[\s\S]*prompt,completion"
    ):
        seen(*rows)
    assert seen(*({"text": row["Ticket 0"], "wish": row["wish"]} for row in rows))


def test_numbers_of_each_file_stand_for_its_own_names() -> None:
    """The test's numbers would be read with the names of train, in the order that they have there."""
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": 1}]
    train = seen(*rows, names={"label": ("bug", "wish")})
    assert train.labels == ("bug", "wish")
    assert seen(*rows, like=train, names={"label": ("wish", "bug")}).labels == ("wish", "bug")
    assert seen(*rows, like=train).labels == ("bug", "wish")
