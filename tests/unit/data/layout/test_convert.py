from typing import Any

import pytest

from burnish.core.records import Chat, Message, Prompt, Rated, Text
from burnish.data.layout.convert import READERS, convert
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.reasons import REASONS, Unusable
from burnish.data.settings import DataSettings

PAIR = Format("prompt_completion", prompt="q", completion="a")
CHAT = Format("messages", turns="messages")
ASKED = {"role": "user", "content": "hi"}
ANSWERED = {"role": "assistant", "content": "yo"}


def dialogue(*turns: tuple[str, str], cut: int = 0) -> Converted:
    return Converted(Chat("", tuple(Message(role, text) for role, text in turns)), cut)  # type: ignore[arg-type]


def test_every_format_that_a_recipe_may_name_is_read() -> None:
    schema = DataSettings.model_json_schema()["properties"]["format"]
    assert {name for choice in schema["anyOf"] for name in choice.get("enum", [choice.get("const")])} == {
        "auto",
        *READERS,
    }


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("b", "b"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        ({"ä": [1]}, '{"ä": [1]}'),
        ([{"role": "assistant", "content": "b"}], "b"),
    ],
)
def test_an_answer_of_any_type_becomes_text(answer: Any, text: str) -> None:
    assert convert({"q": "a", "a": answer}, PAIR) == dialogue(("user", "a"), ("assistant", text))


def test_a_system_column_is_the_first_message() -> None:
    expected = dialogue(("system", "be brief"), ("user", "x"), ("assistant", "y"))
    assert convert({"q": "x", "a": "y", "system": "be brief"}, PAIR) == expected


def test_alpaca_joins_instruction_and_input() -> None:
    layout = Format("alpaca", prompt="instruction", context="input", completion="output")
    row = {"instruction": "add", "input": "1 2", "output": "3"}
    assert convert(row, layout) == dialogue(("user", "add\n\n1 2"), ("assistant", "3"))
    assert convert(row | {"input": ""}, layout) == dialogue(("user", "add"), ("assistant", "3"))


def test_alpacas_history_stands_before_the_question_and_is_learnt() -> None:
    layout = Format("alpaca", prompt="instruction", history="history", completion="output")
    row = {"instruction": "and 2?", "history": [["add 1", "1"]], "output": "3", "system": "s"}
    turns = [("system", "s"), ("user", "add 1"), ("assistant", "1"), ("user", "and 2?"), ("assistant", "3")]
    assert convert(row, layout) == dialogue(*turns)
    assert convert(row | {"history": None}, layout) == dialogue(turns[0], *turns[3:])
    with pytest.raises(Unusable, match="missing_field"):
        convert(row | {"history": ["add 1"]}, layout)


def test_templates_write_prompt_and_answer() -> None:
    layout = Format("columns", template="{q.text} ({n})", completion_template="#### {a}")
    row = {"q": {"text": "sum"}, "n": 2, "a": 3, "system": "s"}
    assert convert(row, layout) == dialogue(("system", "s"), ("user", "sum (2)"), ("assistant", "#### 3"))


def test_numbered_labels_become_names() -> None:
    layout = Format("prompt_completion", prompt="q", completion="a", labels=("bad", "good"))
    for label, name in ((1, "good"), ("0", "bad"), ("fine", "fine")):
        assert convert({"q": "x", "a": label}, layout) == dialogue(("user", "x"), ("assistant", name))
    for label in (2, -1, "2", 1.0):
        with pytest.raises(Unusable, match="unknown_label"):
            convert({"q": "x", "a": label}, layout)


def test_a_passage_stands_before_its_question_and_the_first_answer_is_learnt() -> None:
    layout = Format("question_answer", prompt="question", context="context", completion="answers.text.0")
    row = {"context": "The sky is blue.", "question": "Colour?", "answers": {"text": ["blue", "Blue"]}}
    assert convert(row, layout) == dialogue(("user", "The sky is blue.\n\nColour?"), ("assistant", "blue"))
    with pytest.raises(Unusable) as caught:
        convert(row | {"answers": {"text": []}}, layout)
    assert caught.value.reason == "empty_answer"


@pytest.mark.parametrize(
    ("choices", "right"),
    [
        (["red", "blue"], 1),
        (["red", "blue"], "1"),
        (["red", "blue"], "B"),
        (["red", "blue"], "blue"),
        ({"text": ["red", "blue"], "label": ["1", "2"]}, "2"),
        ({"A": "red", "B": "blue", "C": None}, "B"),
        ('["red", "blue"]', 1),
    ],
)
def test_the_right_choice_is_a_letter_however_the_file_says_it(choices: Any, right: Any) -> None:
    layout = Format("choice", prompt="q", context="p", choices="c", completion="a")
    asked = ("user", "Look up.\n\nSky?\n\nA. red\nB. blue")
    assert convert({"p": "Look up.", "q": "Sky?", "c": choices, "a": right}, layout) == dialogue(
        asked, ("assistant", "B")
    )


@pytest.mark.parametrize(
    "text", ["\n\nHuman: hi\n\nAssistant: yo", "### Human: hi### Assistant: yo", "\nHuman: hi\n\nAssistant: yo"]
)
def test_a_dialogue_in_one_text_is_a_conversation(text: str) -> None:
    assert convert({"t": text}, Format("dialogue", text="t")) == dialogue(("user", "hi"), ("assistant", "yo"))


@pytest.mark.parametrize(("given", "score"), [(True, True), ("False", False), (1, 1.0), ("0.5", 0.5), (-2.5, -2.5)])
def test_an_answer_is_rated_true_false_or_by_a_number(given: Any, score: float | bool) -> None:
    layout = Format("rated", prompt="q", completion="a", score="s")
    found = convert({"q": "x", "a": "y", "s": given}, layout).row
    assert found == Rated("", (Message("user", "x"),), "y", score)
    assert isinstance(found, Rated)
    assert type(found.score) is type(score)
    turns = convert({"messages": [ASKED, ANSWERED], "s": given}, Format("rated", turns="messages", score="s")).row
    assert turns == Rated("", (Message("user", "hi"),), "yo", score)


def test_a_prompt_takes_with_it_what_a_grader_reads() -> None:
    tool = {"type": "function", "function": {"name": "look"}}
    row = {"messages": [ASKED], "tools": [tool], "reference_answer": {"x": [1]}, "n": float("nan"), "none": None}
    expected = Prompt("", (Message("user", "hi"),), {"reference_answer": {"x": [1]}, "n": None}, tools=(tool,))
    assert convert(row, Format("prompts", turns="messages")).row == expected
    plain = convert({"q": "x", "a": "y", "system": "s"}, Format("prompts", prompt="q")).row
    assert plain == Prompt("", (Message("system", "s"), Message("user", "x")), {"a": "y"})


def test_plain_text_stays_as_it_is() -> None:
    assert convert({"text": " a\n"}, Format("text", text="text")) == Converted(Text("", " a\n"))


def test_roles_of_other_tools_and_parts_of_text_are_understood() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    row = {"messages": [{"role": "developer", "content": "s"}, {"role": "USER", "content": parts}, ANSWERED]}
    assert convert(row, CHAT) == dialogue(("system", "s"), ("user", "ab"), ("assistant", "yo"))
    shared = {"c": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], "system": "s"}
    expected = dialogue(("system", "s"), ("user", "x"), ("assistant", "y"))
    assert convert(shared, Format("sharegpt", turns="c")) == expected


def test_a_conversation_stays_whole_up_to_its_last_answer() -> None:
    turns = [ASKED, ANSWERED, ASKED, ANSWERED, ASKED]
    expected = dialogue(*[("user", "hi"), ("assistant", "yo")] * 2, cut=1)
    assert convert({"messages": turns}, CHAT) == expected


def chat(*turns: Any) -> dict[str, Any]:
    return {"messages": list(turns)}


@pytest.mark.parametrize(
    ("row", "layout", "reason"),
    [
        ({"q": "x"}, PAIR, "missing_field"),
        ({"q": "x", "a": None}, PAIR, "missing_field"),
        ({"q": "x", "a": float("nan")}, PAIR, "missing_field"),
        ({"q": " \n", "a": "y"}, PAIR, "empty_prompt"),
        ({"q": "x", "a": ""}, PAIR, "empty_answer"),
        ({"q": "\ud800", "a": "y"}, PAIR, "broken_character"),
        ({"text": " "}, Format("text", text="text"), "empty_text"),
        (chat(), CHAT, "no_answer"),
        (chat(ASKED), CHAT, "no_answer"),
        (chat(ANSWERED), CHAT, "role_order"),
        (chat(ASKED, ASKED, ANSWERED), CHAT, "role_order"),
        (chat(ASKED, {"role": "system", "content": "s"}, ANSWERED), CHAT, "role_order"),
        (chat(ASKED, {"role": "assistant", "content": ""}, ASKED, ANSWERED), CHAT, "empty_answer"),
        (chat({"role": "alien", "content": "x"}, ANSWERED), CHAT, "unknown_role"),
        (chat(ASKED, {"role": "tool", "content": "x"}, ANSWERED), CHAT, "role_order"),
        (chat(ASKED, {"role": "assistant", "content": None, "tool_calls": [{}]}), CHAT, "broken_tool_call"),
        (chat(ASKED, ANSWERED | {"weight": 0}), CHAT, "no_answer"),
        (chat(ASKED, ANSWERED) | {"tools": ["x"]}, CHAT, "broken_tools"),
        (chat(ASKED, {"role": "assistant", "content": None}), CHAT, "missing_field"),
        ({"q": "x", "a": "y", "s": "high"}, Format("rated", prompt="q", completion="a", score="s"), "broken_score"),
        (
            {"q": "x", "a": "y", "s": float("inf")},
            Format("rated", prompt="q", completion="a", score="s"),
            "broken_score",
        ),
        (chat(ASKED, ANSWERED), Format("prompts", turns="messages"), "role_order"),
        ({"q": "x", "a": "\ud800"}, Format("prompts", prompt="q"), "broken_character"),
        (
            {"q": "x", "c": ["a", "b"], "a": "c"},
            Format("choice", prompt="q", choices="c", completion="a"),
            "unknown_choice",
        ),
        (
            {"q": "x", "c": "none", "a": "c"},
            Format("choice", prompt="q", choices="c", completion="a"),
            "unknown_choice",
        ),
        ({"t": "a plain text"}, Format("dialogue", text="t"), "no_answer"),
        (chat({"role": "user", "content": [{"type": "image_url"}]}, ANSWERED), CHAT, "unsupported_content"),
        (chat({"role": "user"}, ANSWERED), CHAT, "missing_field"),
        (chat("hi"), CHAT, "missing_field"),
        ({"messages": "hi"}, CHAT, "missing_field"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row: dict[str, Any], layout: Format, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        convert(row, layout)
    assert caught.value.reason == reason
    assert reason in REASONS
