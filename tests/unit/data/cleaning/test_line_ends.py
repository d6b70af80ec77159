from __future__ import annotations

import pytest

from burnish.data.cleaning.line_ends import plain_line_ends


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("a\fb\vc", "a\nb\nc"),
        ("a\n\r\n\rb", "a\n\n\nb"),
    ],
)
def test_every_line_end_becomes_a_newline(text: str, plain: str) -> None:
    assert plain_line_ends(text) == plain
