import csv
import gzip
import json
from pathlib import Path

import polars
import pytest

from burnish.core.errors import DataError
from burnish.data.read import Reading, read_file

ROWS = [{"q": "eins", "a": "1"}, {"q": 'zwei, "drei"', "a": "2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def read(folder: Path, name: str, content: str | bytes) -> Reading:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_file(path, name)


def values(reading: Reading) -> list[object]:
    return [dict(raw.value) for raw in reading.raws]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.jsonl", LINES.replace("\n", "\r\n")),
        ("a.jsonl", "\n" + LINES.replace("\n", "\n\n")),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.json", LINES),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps({"data": ROWS}, indent=2)),
        ("a.txt", LINES),
        ("a.dat", LINES),
        ("no_extension", json.dumps(ROWS, indent=1)),
        ("a.csv", 'q,a\neins,1\n"zwei, ""drei""",2\n'),
        ("a.csv", 'q;a\r\neins;1\r\n"zwei, ""drei""";2\r\n'),
        ("a.tsv", 'q\ta\neins\t1\nzwei, "drei"\t2\n'),
        ("a.dat", 'q,a\neins,1\n"zwei, ""drei""",2\n'),
    ],
)
def test_the_same_rows_come_out_of_every_kind_of_file(tmp_path: Path, name: str, content: str | bytes) -> None:
    reading = read(tmp_path, name, content)
    assert values(reading) == ROWS
    assert not reading.dropped


def test_parquet_keeps_nested_values(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "hi"}], "n": 1}]
    polars.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    assert values(read_file(tmp_path / "a.parquet", "a.parquet")) == rows


def test_a_row_is_found_by_file_and_line(tmp_path: Path) -> None:
    # line 1 the header, lines 2-3 the first row, line 4 blank, line 5 the second
    reading = read(tmp_path, "a.csv", 'q,a\n"one\ntwo",1\n\nthree,2\n')
    assert [raw.source for raw in reading.raws] == ["a.csv:2", "a.csv:5"]
    assert [raw.source for raw in read(tmp_path, "a.jsonl", "\n" + LINES).raws] == ["a.jsonl:2", "a.jsonl:3"]


def test_paragraphs_of_text_are_rows(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.txt", "one\ntwo\n \n\nthree")
    assert [(raw.source, raw.value["text"]) for raw in reading.raws] == [("a.txt:1", "one\ntwo"), ("a.txt:5", "three")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "not_json"),
        ('{"q": "half', "not_json"),
        ('{"q": NaN}', "not_json"),
        ('{"q": 1e999}', "not_json"),
        ('{"q":' + "[" * 100_000 + "]" * 100_000 + "}", "not_json"),
        ('{"q": ' + "1" * 5000 + "}", "not_json"),
        ("[1, 2]", "not_object"),
        ('"text"', "not_object"),
        ("null", "not_object"),
    ],
)
def test_a_bad_line_is_dropped_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    reading = read(tmp_path, "a.jsonl", LINES + line + "\n" + LINES)
    assert [(one.source, one.reason) for one in reading.dropped] == [("a.jsonl:3", reason)]
    assert len(reading.raws) == 4


def test_a_line_separator_inside_json_does_not_end_the_row(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.jsonl", '{"q": "a\u2028b\x85c"}\n' * 2)) == [{"q": "a\u2028b\x85c"}] * 2


def test_a_csv_line_with_wrong_quotes_or_fields_is_dropped(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.csv", 'q,a\n"x"y,1\na,b,c\nlonely\nfine,2\n')
    assert [(one.source, one.reason) for one in reading.dropped] == [(f"a.csv:{line}", "not_csv") for line in (2, 3, 4)]
    assert values(reading) == [{"q": "fine", "a": "2"}]


def test_a_long_field_is_read_and_the_limit_of_the_csv_module_restored(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    assert len(read(tmp_path, "a.csv", f"q,a\n{'x' * 200_000},1\n").raws[0].value["q"]) == 200_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b" \n\n", "empty"),
        ("a.csv", b"q,a\n", "no rows"),
        ("a.csv", b"q,q\n1,2\n", "twice in the header"),
        ("a.csv", b'q,a\nfine,1\n"never closed,2\nx,3\n', "a.csv:3"),
        ("a.jsonl", LINES.encode("utf-16"), "iconv -f UTF-16"),
        ("a.jsonl", LINES.encode() + b'{"q": "caf\xe9"}\n', "a.jsonl:3"),
        ("a.csv", b"q,a\ncaf\xe9,1\n", "byte 0xe9 at offset 7"),
        ("a.csv", b"\xef\xbb\xbfq,a\ncaf\xe9,1\n", "byte 0xe9 at offset 10"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)[:-12], "damaged"),
        ("a.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", "Parquet"),
        ("a.conll", b"word\tO\n\nother\tO\n", "rename it"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_says_where_and_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, name, content)


def test_a_missing_file_names_its_neighbours_and_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.csv").touch()
    with pytest.raises(DataError, match=r"train\.csv"):
        read_file(tmp_path / "trian.csv", "trian.csv")
    with pytest.raises(DataError, match="not a file"):
        read_file(tmp_path, "folder")
