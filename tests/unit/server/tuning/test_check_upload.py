from __future__ import annotations

from pathlib import Path

import pytest

from burnish.server.tuning.check_upload import NotLines, check_lines
from tests.unit.server.tuning.rows import jsonl, write

BAD = {
    "empty": (b"", "The file is empty."),
    "only blank lines": (b"\n \n", "The file is empty."),
    "no JSON": (b'{"a": 1}\nhello\n', "Line 2 is not valid JSON"),
    "a cut object": (b'{"a": 1}\n{"a":\n', "Line 2 is not valid JSON"),
    "NaN": (b'{"a": NaN}\n', "Line 1 is not valid JSON: NaN"),
    "one document": (b'[\n{"a": 1}\n]\n', "Line 1 is not valid JSON"),
    "a list a line": (b'["a"]\n', "line 1 is not one"),
    "a string": (b'"a"\n', "line 1 is not one"),
    "a gap": (b'{"a": 1}\n\n{"a": 2}\n', "Line 2 is empty"),
    "Latin-1": ('{"a": "é"}\n'.encode("latin-1"), "Line 1 is not UTF-8"),
    "UTF-16": ('{"a": "b"}\n'.encode("utf-16"), "Line 1 is not UTF-8"),
    "too deep": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested too deeply"),
    "a huge number": (b'{"a": ' + b"9" * 5000 + b"}\n", "Line 1 is not valid JSON"),
    "a zip": (b"PK\x03\x04\xff\xfe\n", "Line 1 is not UTF-8"),
    "a line without end": (b'{"a": "' + b"x" * (2**24 + 1), "Line 1 is longer than 16,777,216 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_jsonl_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    content, said = BAD[name]
    with pytest.raises(NotLines) as error:
        check_lines(write(tmp_path, content))
    assert said in str(error.value)


@pytest.mark.parametrize("content", [jsonl(), jsonl().rstrip(b"\n"), b"\xef\xbb\xbf" + jsonl(), jsonl() + b"\n \n",
                                     jsonl().replace(b"\n", b"\r\n")])  # fmt: skip
def test_a_mark_at_the_start_blank_lines_at_the_end_and_windows_lines_do_no_harm(
    content: bytes, tmp_path: Path
) -> None:
    assert check_lines(write(tmp_path, content)) == 12
