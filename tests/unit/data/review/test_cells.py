import csv
import io

import pytest

from burnish.data.review.cells import guarded, id_of_cell, name_cell, on_one_line, unguarded

ACTING = (
    "=1+1",
    '=HYPERLINK("http://x.example","click")',
    "+49 30 1234",
    "-cmd|' /C calc'!A0",
    "@SUM(A1)",
    "  =1+1",
    "\t=1+1",
    "＝1+1",
    "a;=cmd|' /C calc'!A0",
    "a; @b;-c",
)
HARMLESS = ("", "Where is it?", "it's", "a = b", "2-3", "x;y", "don't; won't")


@pytest.mark.parametrize("text", ACTING)
def test_no_cell_begins_with_what_a_spreadsheet_would_run(text: str) -> None:
    for separator in ",;":  # whichever sign the spreadsheet takes for the separator
        for cell in guarded(text).split(separator):
            assert cell.strip()[:1] not in set("=+-@＝＋－＠"), cell


@pytest.mark.parametrize("text", [*ACTING, *HARMLESS, "'quoted'", ";'=x", "''=1", "; ';=1"])
def test_a_guarded_text_comes_back_whole(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_acts_nowhere_is_left_as_it_is(text: str) -> None:
    assert guarded(text) == text


def test_a_text_with_line_ends_stays_on_one_line() -> None:
    line = on_one_line("first\n=second\r\nthird\u2028fourth\tfifth")
    assert line == "first⏎ =second⏎ third⏎ fourth fifth"
    written = io.StringIO()
    csv.writer(written).writerow([line])
    assert written.getvalue().count("\n") == 1


def test_a_name_is_never_a_number_and_is_known_again() -> None:
    # 12e4567890123456 is the number infinity to a spreadsheet, and 1234567890123456 loses its last digit.
    for row_id in ("12e4567890123456", "1234567890123456", "00ab", "3f2a-2"):
        cell = name_cell(row_id)
        with pytest.raises(ValueError, match="could not convert"):
            float(cell)
        assert {id_of_cell(cell), id_of_cell(row_id), id_of_cell(f" '{cell} ")} == {row_id}
