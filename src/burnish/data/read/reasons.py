"""Why a line of a file may not even become a raw row."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "not_json": "the line is not JSON",
    "not_csv": "the line is not CSV: its quotation marks or its number of fields are wrong",
    "not_conll": "a line of the sentence is not a word and a tag",
    "not_object": "the JSON value is not an object with named fields",
    "not_utf8": "the line holds bytes that are no text in the encoding of the file",
    "not_readable": "the file or the row cannot be read; the detail says why",
    "line_too_long": "the line, paragraph or cell is longer than 16 Mi characters",
}
