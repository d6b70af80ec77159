"""JSON lines and JSON documents: what is dropped, where, and how long documents are streamed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.data.read.json_document import is_document, read_json_document
from burnish.data.read.text_file import TextFile
from burnish.data.read.utf8 import Decoding
from tests.unit.data.read.reading import read

ROWS = [{"q": "eins", "a": "1"}, {"q": 'zwei, "drei"', "a": "2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def test_a_row_is_found_by_file_and_line(tmp_path: Path) -> None:
    assert [raw.source for raw in read(tmp_path, "a.jsonl", "\n" + LINES).raws] == ["a.jsonl:2", "a.jsonl:3"]
    assert [raw.source for raw in read(tmp_path, "a.json", json.dumps(ROWS)).raws] == ["a.json:1", "a.json:2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "not_json"),
        ('{"q": "half', "not_json"),
        ('{"q": NaN}', "not_json"),
        ('{"q": -Infinity}', "not_json"),
        ('{"q": 1e999}', "not_json"),
        ('{"q":' + "[" * 100_000 + "]" * 100_000 + "}", "not_json"),
        ('{"q": ' + "1" * 5000 + "}", "not_json"),
        ('{"q": "a\0b"}', "not_json"),
        ("[1, 2]", "not_object"),
        ('"text"', "not_object"),
        ("null", "not_object"),
    ],
)
def test_a_bad_line_is_dropped_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    result = read(tmp_path, "a.jsonl", LINES + line + "\n" + LINES)
    assert result.places == [("a.jsonl:3", reason)]
    assert len(result.raws) == 4


def test_a_line_separator_inside_json_does_not_end_the_row(tmp_path: Path) -> None:
    assert read(tmp_path, "a.jsonl", '{"q": "a\u2028b\x85cd"}\n' * 2).values == [{"q": "a\u2028b\x85cd"}] * 2


def test_half_a_character_in_an_escape_is_left_to_the_later_stages(tmp_path: Path) -> None:
    assert read(tmp_path, "a.jsonl", '{"q": "\\ud83d"}\n').values == [{"q": "\ud83d"}]


def test_of_a_doubled_key_the_last_value_counts_and_that_is_said(tmp_path: Path) -> None:
    result = read(tmp_path, "a.jsonl", LINES + '{"q": 1, "q": 2}\n{"m": [{"r": 1, "r": 1}]}\n')
    assert result.values[2:] == [{"q": 2}, {"m": [{"r": 1}]}]
    assert result.facts.notes == ("2 rows name a key twice, the first is a.jsonl:3: the last value counts",)
    assert read(tmp_path, "a.json", '[{"q": 1}, {"q": 1, "q": 2}]').facts.notes[0].startswith("1 rows name a key twice")


def test_a_document_without_a_list_is_one_row(tmp_path: Path) -> None:
    result = read(tmp_path, "a.json", json.dumps({"q": [1], "a": {"data": 2}}, indent=1))
    assert result.values == [{"q": [1], "a": {"data": 2}}]


def test_a_bad_row_of_a_document_is_dropped_alone(tmp_path: Path) -> None:
    result = read(tmp_path, "a.json", '[{"q": 1},\n{"q": [NaN, "]"]},\n3,\n{"q": 4}]')
    assert result.values == [{"q": 1}, {"q": 4}]
    assert result.places == [("a.json:2", "not_json"), ("a.json:3", "not_object")]
    assert result.dropped[0].row == '{"q": [NaN, "]"]}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[\n{"q": 1},\n{"q": 2\n', r"a\.json:4"),
        ('[\n{"q": 1}\n{"q": 2}\n]', r"a\.json:3"),
        ('[\n{"q": 1},\n]', r"a\.json:3"),
        ('{\n"data": [{"q": 1}]', r"a\.json:2"),
        ('{\n"data": [{"q": 1}]}\n]', "after its end"),
        ("[\n" * 100_000, "deeply"),
        ('{\n"q": 1e999}', "finite"),
    ],
)
def test_a_broken_document_says_on_which_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, "a.json", content)


def rows_of(texts: Iterator[str]) -> list[object]:
    return list(read_json_document(TextFile("a.json", ".json", texts, Decoding("a.json"))))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_a_document_is_the_same_however_it_is_cut_into_pieces(size: int) -> None:
    rows = [{"q": "é\u2028\\u", "n": -12.5e3, "l": [True, False, None, {}], "e": "\ud83d\n"}, {"n": 123456}, {"s": ""}]
    for document in (json.dumps(rows), json.dumps({"a": 12, "data": rows, "b": [1]}, indent=1)):
        whole = rows_of(iter([document]))
        assert [row.value for row in whole] == rows  # type: ignore[attr-defined]
        assert rows_of(document[at : at + size] for at in range(0, len(document), size)) == whole


def test_a_list_that_never_ends_is_streamed() -> None:
    def texts() -> Iterator[str]:
        yield "["
        while True:
            yield '{"q": 1},' * 1000

    rows = read_json_document(TextFile("a.json", ".json", texts(), Decoding("a.json")))
    assert [next(rows) for _ in range(50_000)][-1].source == "a.json:50000"


@pytest.mark.parametrize(
    ("head", "whole", "document"),
    [
        ('{"q": 1}\n{"q": 2}', True, False),
        ('[{"q": 1}, {"q": }]', True, True),
        ('{"a": 1, "data": [{"q": }]}', True, True),
        ('{"q": 1}', True, False),  # one line: it is the same row either way
        ('{"data": [1]}', True, True),
        ('{"data": [1]}\n{"data": [1]}', True, False),
        ('[{"q": 1}]\n', True, True),
        ('[1]\n{"q": 1}\n', True, False),
        ('{\n"q": 1}', True, True),
        ('{"q": 1,\n"a": 1}', True, True),
        ('{"q": "torn\n{"q": 1}', True, False),
        ('[{"q": 1}, {"q"', False, True),
        ('{"version": {"a": []}, "data": [{"q"', False, True),
        ('{"data": "text", "q": "a long', False, False),
        ('{"messages": [{"q": "a long', False, False),
    ],
)
def test_lines_and_documents_are_told_apart_by_their_beginning(head: str, whole: bool, document: bool) -> None:
    assert is_document(head, whole=whole) is document
