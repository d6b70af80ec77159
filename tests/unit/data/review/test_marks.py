from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.data.review.marks import Marks, read_marks

LINES = [
    ["keep_or_drop", "id", "prompt"],
    ["drop", "#aa", 'Größe; "so", sagt sie'],
    ["", "#bb", "nothing said"],
    [" Keep ", "cc", "two\nlines"],
]
SAID = Marks(keep=frozenset({"cc"}), drop=frozenset({"aa"}))


def table(separator: str = ",", lines: list[list[str]] = LINES) -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & {'"', "\n", separator} else text

    return "".join(separator.join(map(cell, line)) + "\r\n" for line in lines)


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "review.csv"
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_marks_are_read_however_a_spreadsheet_saved_them(tmp_path: Path, separator: str, encoding: str) -> None:
    assert read_marks(written(tmp_path, table(separator), encoding)) == SAID


def test_the_line_that_names_the_separator_is_none_of_the_table(tmp_path: Path) -> None:
    path = written(tmp_path, "sep=;\r\n" + table(";"))
    assert read_marks(path) == SAID


def test_columns_may_be_moved_and_lines_cut_short(tmp_path: Path) -> None:
    path = written(tmp_path, 'note,"ID",KEEP_OR_DROP\n,,\nx,#aa,drop\ny,#bb\n\nz,\'#cc,KEEP\n')
    assert read_marks(path) == SAID


def refused(folder: Path, content: str) -> DataError:
    with pytest.raises(DataError) as raised:
        read_marks(written(folder, content))
    return raised.value


def test_another_word_is_refused_with_its_line(tmp_path: Path) -> None:
    # The third line of the table begins on line 4 of the file, for the second holds a line end.
    error = refused(tmp_path, 'keep_or_drop,id,prompt\n,#aa,"two\nlines"\nyes,#bb,\n')
    assert error.where.endswith("review.csv:4")
    assert error.seen == "yes"
    assert "keep or drop" in error.next_move


def test_a_mark_without_an_id_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "keep_or_drop,id\ndrop,\n").where.endswith(":2")


def test_two_marks_of_one_row_that_differ_are_refused_with_both_lines(tmp_path: Path) -> None:
    error = refused(tmp_path, "keep_or_drop,id\ndrop,#aa\ndrop,#aa\nkeep,aa\n")
    assert error.where.endswith(":4")
    assert error.seen == "#aa: drop on line 2, keep here"


@pytest.mark.parametrize("content", ["", "\n", "id,prompt\n#aa,x\n", "a;b\n1;2\n"])
def test_another_table_is_refused_with_the_columns_it_has(tmp_path: Path, content: str) -> None:
    assert "no column" in refused(tmp_path, content).what


def test_an_open_quotation_mark_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, 'keep_or_drop,id\ndrop,#aa\n,"bb\nkeep,#cc\n')
    assert error.where.endswith(":3")


def test_a_workbook_and_a_missing_file_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(DataError, match="workbook"):
        read_marks(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_marks(tmp_path / "none.csv")


def test_newer_marks_count_more() -> None:
    older = Marks(keep=frozenset("ab"), drop=frozenset("cd"))
    newer = Marks(keep=frozenset("c"), drop=frozenset("a"))
    assert newer.over(older) == Marks(keep=frozenset("bc"), drop=frozenset("ad"))
    assert [newer.of(row_id) for row_id in "abc"] == ["drop", "", "keep"]
    assert newer.unknown(frozenset("a")) == ["c"]
