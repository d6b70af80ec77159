"""Line ends of other systems."""

from __future__ import annotations

import re

# Windows, old Mac, vertical tab, form feed, and Unicode's own two. The next-line code of Latin-1 is not among them: it
# is nearly always the … of Windows, which the repair of encodings restores.
FOREIGN_ENDS = re.compile("\r\n|[\r\v\f\u2028\u2029]")


def plain_line_ends(text: str) -> str:
    """The text with every line end written as a newline."""
    return FOREIGN_ENDS.sub("\n", text)
