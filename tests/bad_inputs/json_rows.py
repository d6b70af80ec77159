"""JSON that is none, or holds what no row should; and texts that make careless programs slow."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from tests.bad_inputs.case import (
    GOOD_ROWS,
    NAME,
    Case,
    Kept,
    Made,
    Refused,
    among_good,
    file_of,
    good_lines,
    line,
    places,
    row,
)

DEEP = b"[" * 100_000 + b"]" * 100_000
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x1b[31m"


def prompt(text: str) -> bytes:
    return line({"prompt": text, "completion": "bug"})


def answer(number: int, text: str) -> bytes:
    return line({"prompt": f"Question {number}", "completion": text})


def raw(value: bytes) -> bytes:
    """A row that holds this JSON value beside what it needs."""
    return b'{"prompt": "Number", "completion": "bug", "n": ' + value + b"}"


def same_rows(folder: Path, rng: Random) -> Made:
    """One row 500 times among others."""
    lines = [(good, "") for good in good_lines()]
    copies = [line({"prompt": "Again", "completion": "bug"})] * 500
    for copy in copies:
        lines.insert(rng.randint(0, len(lines)), (copy, "exact_duplicate"))
    first = next(number for number, (_, reason) in enumerate(lines) if reason)
    lines[first] = (lines[first][0], "")
    (folder / NAME).write_bytes(b"\n".join(content for content, _ in lines))
    return Made(NAME, Kept(len(lines), places(reason for _, reason in lines)))


def cut_list(folder: Path, rng: Random) -> Made:
    content = json.dumps([row(number) for number in range(GOOD_ROWS)], indent=1).encode()
    (folder / "rows.json").write_bytes(content[: rng.randint(len(content) // 2, len(content) - 2)])
    return Made("rows.json", Refused(["broken", "rows.json:"]))


LIST = json.dumps([row(0), "a string", row(1), None, *map(row, range(2, GOOD_ROWS))], indent=1)
SLOW = {
    "signs of addresses": "a@" * 100_000,
    "numbers with gaps": "1 2-" * 50_000,
    "the start of a key": "-----BEGIN PRIVATE KEY-----" * 8_000,
    "a word without end": "x" * 1_000_000,
    "open brackets": "<[{(" * 50_000,
    "quotation marks": "\"'" * 100_000,
    "spaces": "a" + " " * 300_000 + "b",
    "line breaks": "\n \n" * 100_000 + "a",
    "dots of addresses": "1." * 100_000 + "a" * 1000 + ".",
    "passwords": "password: " * 20_000,
    "repeated marks": "?!" * 100_000,
}
CASES = (
    Case("rows nested 100,000 deep", among_good([(DEEP, "not_json"), (raw(DEEP), "not_json")])),
    Case(
        "a document nested 100,000 deep",
        file_of(b'[{"prompt": ' + DEEP + b"}]", Refused(["nested too deeply"]), "rows.json"),
    ),
    Case(
        "NaN, Infinity and 1e999",
        among_good([(raw(value), "not_json") for value in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999")]),
    ),
    Case("whole numbers of 5,000 digits", among_good([(raw(b"9" * 5000), "not_json"), (raw(b"9" * 400), "")])),
    Case(
        "keys that stand twice",
        among_good(
            [
                (b'{"prompt": "Twice", "completion": "wish", "completion": "bug"}', ""),
            ],
            told=["name a key twice"],
        ),
    ),
    Case(
        "commas too many, single quotation marks, comments, what Python prints",
        among_good(
            [
                (b'{"prompt": "a", "completion": "bug",}', "not_json"),
                (b"{'prompt': 'b', 'completion': 'bug'}", "not_json"),
                (b'{"prompt": "c", "completion": "bug"} // no', "not_json"),
                (line(row(90)) + b",", "not_json"),
                (b'{"prompt": None, "completion": True}', "not_json"),
                (line(row(91)) + line(row(92)), "not_json"),
            ]
        ),
    ),
    Case(
        "values that are no objects",
        among_good(
            [(value, "not_object") for value in (b"1", b'"text"', b"null", b"true", b'["prompt", "completion"]', b"[]")]
        ),
    ),
    Case("a list cut in the middle", cut_list),
    Case("a list of rows and of others", file_of(LIST.encode(), Kept(42, {"not_object": [2, 4]}), "rows.json")),
    Case(
        "rows over several lines, one after another",
        file_of(
            b"\n".join(json.dumps(row(number), indent=2).encode() for number in range(GOOD_ROWS)), Refused(["broken"])
        ),
    ),
    Case(
        "text behind the end of a list",
        file_of(
            json.dumps([row(number) for number in range(GOOD_ROWS)]).encode() + b"\n]]",
            Refused(["not_object"]),
            "rows.json",
        ),
    ),
    Case(
        "half a character in escapes",
        among_good(
            [
                (b'{"prompt": "\\ud800", "completion": "bug"}', "broken_character"),
                (b'{"prompt": "x", "completion": "\\udc00\\ud83d"}', "broken_character"),
                (b'{"prompt": "y", "completion": "bug", "\\udfff": "\\udfff"}', ""),
            ]
        ),
    ),
    Case(
        "fields of the wrong type",
        among_good(
            [
                (b'{"prompt": null, "completion": "bug"}', "missing_field"),
                (b'{"prompt": "p", "completion": null}', "missing_field"),
                (b'{"prompt": 12, "completion": "bug"}', ""),
                (b'{"prompt": {"a": [null, {"b": null}]}, "completion": "bug"}', ""),
                (b'{"prompt": "", "completion": "bug"}', "empty_prompt"),
                (b'{"prompt": "q", "completion": " \\n\\t"}', "empty_answer"),
                (b'{"completion": "bug"}', "missing_field"),
                (b"{}", "missing_field"),
            ]
        ),
    ),
    Case(
        "rows of other schemas",
        among_good(
            [
                (
                    line({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}),
                    "missing_field",
                ),
                (line({"instruction": "a", "output": "b"}), "missing_field"),
                (line({"text": "a"}), "missing_field"),
            ]
        ),
    ),
    Case(
        "names of keys that reach for the terminal and for Python",
        among_good(
            [
                (
                    line({**row(90), ESCAPE: 1, "__proto__": {}, "__class__": "x", "": "", "a.b": 1, "k" * 100_000: 2}),
                    "",
                ),
            ]
        ),
    ),
    Case(
        "an id that all rows share",
        file_of(b"\n".join(line({**row(number), "id": 7}) for number in range(GOOD_ROWS)), Kept(GOOD_ROWS)),
    ),
    Case("one row 500 times", same_rows),
    Case(
        "characters that command the terminal",
        among_good(
            [(prompt(f"Clear {ESCAPE} it"), ""), (prompt("turn \u202e it\u2066"), "")],
            changed={"control_characters": 2},
        ),
    ),
    Case(
        "answers that nobody can see",
        among_good(
            [
                (answer(1, "\u200b\u200d"), "nothing_left"),
                (answer(2, "\ufeff"), "nothing_left"),
                (answer(3, "\x00\x01"), "nothing_left"),
                (answer(4, "\u00a0\u3000"), "empty_answer"),
            ]
        ),
    ),
    Case(
        "slow for patterns: combining marks",
        among_good([(prompt("a" + "\u0301\u0316" * 100_000), "too_long")], changed={"decomposed_letters": 1}),
    ),
    Case(
        "slow for patterns: damaged letters",
        among_good([(prompt("Ã©â€™" * 30_000), "too_long")], changed={"encoding_damage": 1}),
    ),
    Case("a row longer than the context", among_good([(prompt("word " * 2000), "too_long")])),
    Case(
        "a picture as text", among_good([(answer(1, "data:image/png;base64," + "iVBORw0KGgo" * 100_000), "too_long")])
    ),
    *(
        Case(f"slow for patterns: {what}", among_good([(prompt(text), "too_long"), (answer(1, text), "too_long")]))
        for what, text in SLOW.items()
    ),
)
