from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.server.tuning.check_examples import BadExamples, check_examples
from tests.unit.server.tuning.rows import chat, completion, jsonl, pair, write


def turns(*said: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in said], **more}


ASKED = ("user", "hi")
BAD_CHATS = {
    "missing 'messages'": {"text": "hello"},
    "unknown key 'label'": {**chat(0), "label": 1},
    "'messages' must be a list of at least one message": {"messages": []},
    "'messages[0]' must be an object": {"messages": ["hi"]},
    "'messages[0].role' is 'robot'": turns(("robot", "hi"), ("assistant", "ho")),
    "'messages[0].role' is 'None'": {"messages": [{"content": "hi"}]},
    "the last message must be from the assistant": turns(("assistant", "ho"), ASKED),
    "'messages[1].content' must be a string": turns(ASKED, ("assistant", 5)),
    "'messages[1].content' must be a string, or": turns(ASKED, ("assistant", None)),
    "holds a part that is not text": turns(
        ("user", [{"type": "image_url", "image_url": {"url": "x"}}]), ("assistant", "a cat")
    ),
    "'messages[0].weight' must be 0 or 1": {
        "messages": [{**chat(0)["messages"][0], "weight": 1}, chat(0)["messages"][1]]
    },
    "'messages[1].weight' must be 0 or 1": {
        "messages": [chat(0)["messages"][0], {**chat(0)["messages"][1], "weight": 2}]
    },
    "at least one message of the assistant must have a weight of 1": {
        "messages": [chat(0)["messages"][0], {**chat(0)["messages"][1], "weight": 0}]
    },
    "unknown key 'text' in 'messages[0]'": {"messages": [{"role": "user", "content": "a", "text": "b"}]},
    "a preference pair can't be learnt": pair(0),
}
BAD_PAIRS = {
    "missing 'input'": chat(0) and {key: value for key, value in pair(0).items() if key != "input"},
    "missing 'non_preferred_output'": {key: value for key, value in pair(0).items() if key != "non_preferred_output"},
    "'input' must be an object with 'messages'": {**pair(0), "input": "hi"},
    "'input.messages' must not end with a message of the assistant": {**pair(0), "input": chat(0)},
    "'preferred_output' must be one message of the assistant": {**pair(0), "preferred_output": chat(0)["messages"]},
    "'non_preferred_output' must be a list of at least one message": {**pair(0), "non_preferred_output": "no"},
}


@pytest.mark.parametrize("said", BAD_CHATS)
def test_a_chat_that_cannot_be_learnt_is_named_by_its_line(said: str, tmp_path: Path) -> None:
    # A pair on the first line would say that the whole file holds pairs.
    line = 1 if "pair" in said else 3
    with pytest.raises(BadExamples) as error:
        check_examples(write(tmp_path, jsonl(line=line, bad=BAD_CHATS[said])), "supervised")
    assert error.value.code == "invalid_training_file"
    assert f"Line {line}: " in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("said", BAD_PAIRS)
def test_so_is_a_pair(said: str, tmp_path: Path) -> None:
    with pytest.raises(BadExamples) as error:
        check_examples(write(tmp_path, jsonl(pair, line=2, bad=BAD_PAIRS[said])), "dpo", "validation")
    assert error.value.code == "invalid_validation_file"
    assert f"Line 2: {said}" in str(error.value)


def test_the_first_line_of_each_kind_is_named_and_the_others_counted(tmp_path: Path) -> None:
    with pytest.raises(BadExamples) as error:
        check_examples(write(tmp_path, jsonl(count=12)), "dpo")
    assert str(error.value).endswith("Line 1: missing 'input' (and 11 further lines).")
    rows = b"".join(b'{"messages": [], "key%d": 1}\n' % n for n in range(12))
    with pytest.raises(BadExamples) as error:
        check_examples(write(tmp_path, rows), "supervised")
    assert "Line 5: unknown key 'key4'. 7 other things are wrong, too." in str(error.value)


def test_ten_rows_are_the_fewest_to_learn_from_and_one_to_validate_by(tmp_path: Path) -> None:
    with pytest.raises(BadExamples) as error:
        check_examples(write(tmp_path, jsonl(count=9)), "supervised")
    assert error.value.code == "invalid_n_examples"
    assert "9 example(s)" in str(error.value)
    assert check_examples(write(tmp_path, jsonl(count=10)), "supervised") == 10
    assert check_examples(write(tmp_path, jsonl(count=1)), "supervised", "validation") == 1


def test_all_that_the_guides_show_is_taken(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    with_tools = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "And today?"}], "name": "ada"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "assistant", "content": "It rains.", "weight": 1},
        ],
        "tools": [tool],
        "parallel_tool_calls": False,
    }
    assert check_examples(write(tmp_path, jsonl(line=4, bad=with_tools)), "supervised") == 12
    assert check_examples(write(tmp_path, jsonl(completion)), "supervised") == 12
    with_tools_asked = {**pair(0), "input": {**pair(0)["input"], "tools": [tool], "parallel_tool_calls": True}}
    assert check_examples(write(tmp_path, jsonl(pair, line=1, bad=with_tools_asked)), "dpo") == 12
