"""Text in a cell of a table that a spreadsheet may open: it never acts as a formula, and names never become numbers.

Which cells a spreadsheet runs: https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import re

ACTS = "=+\\-@＝＋－＠"  # spreadsheets of East Asia take the wide forms too
AT_START = re.compile(f"\\s*[{ACTS}\t\r\n']")
# Where ; separates columns, as in much of Europe, what follows it may begin a cell.
AFTER_SEMICOLON = re.compile(f"(;\\s*'*)(?=[{ACTS}])")
BEFORE_GUARD = re.compile(f"(;\\s*'*)'(?=[{ACTS}])")
LINE_END = "⏎"


def guarded(text: str) -> str:
    """The text as a cell that acts nowhere: an apostrophe before what could. Text on one line comes back whole."""
    text = AFTER_SEMICOLON.sub(r"\1'", text)
    return f"'{text}" if AT_START.match(text) else text


def unguarded(cell: str) -> str:
    """The inverse of `guarded`."""
    return BEFORE_GUARD.sub(r"\1", cell.removeprefix("'"))


def on_one_line(text: str) -> str:
    """Line ends as a sign: a row of the table stays a line, also where a spreadsheet misreads quotation marks."""
    return f"{LINE_END} ".join(text.splitlines()).replace("\t", " ")


def name_cell(row_id: str) -> str:
    """A row's name as no spreadsheet takes it for a number: "#12e4567890123456"."""
    return f"#{row_id}"


def id_of_cell(cell: str) -> str:
    """The inverse of `name_cell`, also where the sign was lost."""
    return unguarded(cell.strip()).strip().removeprefix("#")
