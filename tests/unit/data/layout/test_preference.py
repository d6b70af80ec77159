from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from burnish.core.files import read_jsonl
from burnish.core.records import Message, Pair, Row
from burnish.core.run_folder import RunFolder
from burnish.data.group import prompt_keys, with_groups
from burnish.data.layout.format import Converted, Format
from burnish.data.layout.preference import read
from burnish.data.layout.reasons import REASONS, Unusable
from burnish.data.prepare import prepare
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from burnish.render.batch import Length

EXPLICIT = Format("preference", prompt="prompt", completion="chosen", rejected="rejected")
IMPLICIT = Format("preference", completion="chosen", rejected="rejected")
OPENAI = Format("preference", prompt="input", completion="preferred_output", rejected="non_preferred_output")
ASKED = {"role": "user", "content": "sky?"}
GOOD, BAD = {"role": "assistant", "content": "blue"}, {"role": "assistant", "content": "green"}
EXPECTED = Pair("", (Message("user", "sky?"),), "blue", "green")
TOOL = {"type": "function", "function": {"name": "look"}}


@pytest.mark.parametrize(
    ("row", "layout"),
    [
        ({"prompt": "sky?", "chosen": "blue", "rejected": "green"}, EXPLICIT),
        ({"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]}, EXPLICIT),
        ({"prompt": [ASKED], "chosen": "blue", "rejected": [BAD]}, EXPLICIT),
        ({"prompt": "sky?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, EXPLICIT),
        ({"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, IMPLICIT),
        ({"chosen": "\n\nHuman: sky?\n\nAssistant: blue", "rejected": "\n\nHuman: sky?\n\nAssistant: green"}, IMPLICIT),
        ({"prompt": "\n\nHuman: sky?\n\nAssistant:", "chosen": "blue", "rejected": "green"}, EXPLICIT),
        ({"input": {"messages": [ASKED]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]}, OPENAI),
        ({"prompt": [{"from": "human", "value": "sky?"}], "chosen": {"from": "gpt", "value": "blue"},
          "rejected": {"from": "gpt", "value": "green"}}, EXPLICIT),
    ],
)  # fmt: skip
def test_every_layout_is_a_prompt_and_two_answers(row: dict[str, Any], layout: Format) -> None:
    assert read(row, layout) == Converted(EXPECTED)


def test_the_turns_before_the_last_answer_are_the_prompt() -> None:
    begin = "\n\nHuman: sky?\nAnd: why?\n\nAssistant: blue\n\nHuman: sure?\n\nAssistant: "
    turns = (Message("user", "sky?\nAnd: why?"), Message("assistant", "blue"), Message("user", "sure?"))
    found = read({"chosen": begin + "yes\n\nreally", "rejected": begin + "no"}, IMPLICIT)
    assert found.row == Pair("", turns, "yes\n\nreally", "no")


def prompt_of(row: dict[str, Any]) -> tuple[Message, ...]:
    found = read(row, EXPLICIT).row
    assert isinstance(found, Pair)
    return found.prompt


def test_the_input_of_alpaca_belongs_to_the_prompt() -> None:
    layout = Format("preference", prompt="instruction", context="input", completion="chosen", rejected="rejected")
    row = {"instruction": "add", "input": "1 2", "chosen": "3", "rejected": "4"}
    assert read(row, layout).row == Pair("", (Message("user", "add\n\n1 2"),), "3", "4")


def test_tools_of_the_prompt_are_kept() -> None:
    row = {"input": {"messages": [ASKED], "tools": [TOOL]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]}
    assert read(row, OPENAI).row == Pair("", EXPECTED.prompt, "blue", "green", tools=(TOOL,))


def test_a_system_column_stands_before_a_prompt_and_before_whole_conversations() -> None:
    system = Message("system", "be brief")
    row = {"system": "be brief", "prompt": "sky?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}
    assert prompt_of(row) == (system, Message("user", "sky?"))
    told = [{"role": "system", "content": "be brief"}, ASKED]
    row = {"prompt": told, "chosen": "blue", "rejected": "green"}
    assert prompt_of(row) == (system, Message("user", "sky?"))


@pytest.mark.parametrize(
    ("row", "layout", "reason"),
    [
        ({"prompt": "sky?", "chosen": "blue", "rejected": " blue\n"}, EXPLICIT, "equal_answers"),
        ({"prompt": "sky?", "chosen": "blue", "rejected": ""}, EXPLICIT, "empty_answer"),
        ({"prompt": "sky?", "chosen": "blue", "rejected": None}, EXPLICIT, "missing_field"),
        ({"prompt": " ", "chosen": "blue", "rejected": "green"}, EXPLICIT, "empty_prompt"),
        ({"chosen": "blue", "rejected": "green"}, IMPLICIT, "no_shared_prompt"),
        ({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: c\n\nAssistant: d"}, IMPLICIT,
         "no_shared_prompt"),
        ({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a"}, IMPLICIT, "no_answer"),
        ({"chosen": [ASKED, GOOD], "rejected": [ASKED, ASKED, BAD]}, IMPLICIT, "role_order"),
        ({"prompt": "sky?", "chosen": [], "rejected": [BAD]}, EXPLICIT, "no_answer"),
        ({"prompt": "sky?", "chosen": ["blue"], "rejected": [BAD]}, EXPLICIT, "missing_field"),
        ({"input": {"messages": [ASKED], "tools": [{}]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
         OPENAI, "broken_tools"),
        ({"prompt": "sky?", "chosen": [{"role": "assistant", "tool_calls": [{"function": {"name": "look"}}]}],
          "rejected": [BAD]}, EXPLICIT, "unsupported_content"),
    ],
)  # fmt: skip
def test_a_pair_that_cannot_be_used_has_a_reason(row: dict[str, Any], layout: Format, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        read(row, layout)
    assert caught.value.reason == reason
    assert reason in REASONS


def test_pairs_that_ask_the_same_form_a_group_and_earlier_turns_do_not_count() -> None:
    def pair(name: str, *turns: str) -> Pair:
        roles = ("user", "assistant")
        return Pair(name, tuple(Message(roles[n % 2], text) for n, text in enumerate(turns)), "a", "b")  # type: ignore[arg-type]

    rows = with_groups([pair("1", "Sky?"), pair("2", "sky"), pair("3", "sky?", "blue", "sure?")], "train")
    assert rows[0].group == rows[1].group != rows[2].group
    assert len(prompt_keys(rows[2])) == 1


def asked_lengths(rows: Iterable[Row]) -> Iterator[Length]:
    return (Length(len(row.prompt[-1].content), 1) for row in rows if isinstance(row, Pair))


def test_prepare_writes_pairs_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    lines = [{"prompt": f"question {n}", "chosen": f"right {n}", "rejected": f"wrong {n}"} for n in range(30)]
    lines += [lines[0], {"prompt": "question 0!", "chosen": "x", "rejected": "y"}]  # a duplicate, and the same question
    lines += [
        {"prompt": "q", "chosen": "same", "rejected": "same"},
        {"prompt": "q" * 99, "chosen": "a", "rejected": "b"},
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    said: list[str] = []
    card = prepare(DataSettings(train="pairs.jsonl"), folder, base=tmp_path, seed=0, context=90, say=said.append,
                   lengths_of=asked_lengths)  # fmt: skip
    assert card.rows_in == card.rows_written + card.rows_dropped == 34
    assert {row["reason"] for row in read_jsonl(folder.dropped)} == {"exact_duplicate", "equal_answers", "too_long"}
    assert card.shape.kind == "preference"
    assert "question 0 → right 0 rather than wrong 0" in said[0]
    parts = [read_rows(path) for path in (folder.train, folder.dev, folder.test)]
    assert all(isinstance(row, Pair) for part in parts for row in part)
    groups = [{row.group for row in part} for part in parts]
    assert not groups[0] & groups[1] | groups[1] & groups[2] | groups[0] & groups[2]
    sides = [n for n, part in enumerate(parts) for row in part
             if isinstance(row, Pair) and row.prompt[-1].content.startswith("question 0")]  # fmt: skip
    assert len(sides) == 2
    assert len(set(sides)) == 1
