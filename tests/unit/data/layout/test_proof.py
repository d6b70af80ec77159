from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text, ToolCall
from burnish.data.layout.proof import preview, proof

ASKED = (Message("user", "sky?"),)


def test_every_kind_of_row_is_shown_on_a_line() -> None:
    calling = (*ASKED, Message("assistant", "", (ToolCall("look", '{"up": true}'),)))
    called = Chat("", (*calling, Message("tool", "it is blue"), Message("assistant", "blue")), tools=({}, {}))
    shown: dict[str, Row] = {
        "sky? → blue": Chat("", (*ASKED, Message("assistant", "blue"))),
        'sky? (tools: 1) → {"name": "look", "arguments": {"up": true}}': Chat("", calling, tools=({},)),
        "sky? (tools: 2) → blue": called,
        "sky? → blue rather than green": Pair("", ASKED, "blue", "green"),
        "sky? → blue: true": Rated("", ASKED, "blue", True),
        "sky? → blue: 0.5": Rated("", ASKED, "blue", 0.5),
        "sky? → graded by answer, kind": Prompt("", ASKED, {"answer": "blue", "kind": 1}),
        "sky? → graded by no field of the row": Prompt("", ASKED),
        "a b": Text("", "a\n\x1b b"),
    }
    assert {line: proof(row) for line, row in shown.items()} == {line: line for line in shown}


def test_a_long_text_is_shortened() -> None:
    assert preview("x" * 1000) == "x" * 59 + "…"
