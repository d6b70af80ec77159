"""CSV: places of rows, lines that do not fit, quotation marks that never close."""

import csv
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.data.read.raw import MOST_ROW_CHARACTERS
from tests.unit.data.read.reading import read


def test_a_row_is_found_by_the_line_on_which_it_starts(tmp_path: Path) -> None:
    # line 1 the header, lines 2-3 the first row, line 4 blank, line 5 the second
    result = read(tmp_path, "a.csv", 'q,a\n"one\ntwo",1\n\nthree,2\n')
    assert [raw.source for raw in result.raws] == ["a.csv:2", "a.csv:5"]


def test_a_line_with_wrong_quotes_or_fields_is_dropped(tmp_path: Path) -> None:
    result = read(tmp_path, "a.csv", 'q,a\n"x"y,1\na,b,c\nlonely\nfine,2\n')
    assert result.places == [(f"a.csv:{line}", "not_csv") for line in (2, 3, 4)]
    assert result.dropped[0].row == '"x"y,1\n'
    assert result.values == [{"q": "fine", "a": "2"}]


def test_line_ends_inside_a_field_come_out_as_one_character(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", 'q,a\r\n"one\r\ntwo",1\r\n').values == [{"q": "one\ntwo", "a": "1"}]


def test_zero_bytes_and_line_separators_stay_in_their_field(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "q,a\na\0b,c\u2028d\n").values == [{"q": "a\0b", "a": "c\u2028d"}]


def test_a_long_field_is_read_and_the_limit_of_the_csv_module_restored(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    assert len(str(read(tmp_path, "a.csv", f"q,a\n{'x' * 200_000},1\n").values[0]["q"])) == 200_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q,q\n1,2\n", "twice in the header"),
        ('q,a\nfine,1\n"never closed,2\nx,3\n', r"a\.csv:3[\s\S]*never closed,2"),
        ('q,a\nfine,1\n"never closed,2\n' + "x,3\n" * (MOST_ROW_CHARACTERS // 4), r"a\.csv:3[\s\S]*never closed,2"),
    ],
)
def test_a_file_in_which_rows_cannot_be_told_apart_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, "a.csv", content)


def test_a_line_beyond_the_limit_is_dropped_and_the_next_ones_are_read(tmp_path: Path) -> None:
    long = "x" * (MOST_ROW_CHARACTERS + 1)
    result = read(tmp_path, "a.csv", f'q,a\n1,2\n{long},3\n"{long}",4\n5,6\n')
    assert result.places == [("a.csv:3", "line_too_long"), ("a.csv:4", "line_too_long")]
    assert result.dropped[0].row == "x" * 200
    assert [raw.source for raw in result.raws] == ["a.csv:2", "a.csv:5"]
    with pytest.raises(DataError, match=r"a\.csv:3"):
        read(tmp_path, "a.csv", f'q,a\n1,2\n"{long},3\n5,6\n')


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
def test_a_long_line_is_dropped_in_every_kind_of_text(tmp_path: Path, name: str) -> None:
    result = read(tmp_path, name, '{"q": 1}\n\n{"q": "' + "x" * MOST_ROW_CHARACTERS + '"}\n\n{"q": 2}\n')
    assert result.places == [(f"{name}:3", "line_too_long")]
    assert len(result.raws) == 2


def test_the_line_in_which_excel_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    """Its one "column" was called sep= and the file refused."""
    for line in ("sep=;", '"sep=;"'):
        result = read(tmp_path, "a.csv", f"{line}\r\nq;a\r\none,two;1\r\n")
        assert result.values == [{"q": "one,two", "a": "1"}]
        assert result.raws[0].source == "a.csv:3"
