"""Text as words, for counting: runs of letters and digits, and each sign of scripts without spaces by itself."""

from __future__ import annotations

import re

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def words(text: str) -> list[str]:
    """The words in order, as they are written."""
    return _WORD.findall(text)
