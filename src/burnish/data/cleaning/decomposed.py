"""Letters in two parts, as the file names of a Mac hold them (Unicode NFD)."""

from __future__ import annotations

import re
import unicodedata

# Only what NFD takes apart in everyday scripts: letters with accents, voiced kana, Korean syllables. NFC for the whole
# text would also replace characters that differ in looks (Angstrom sign, ideographs) and take some Indic letters apart.
SECOND_PART = re.compile("[\u0300-\u036f\u3099\u309a\u1161-\u1175]")
# To sort the marks of one letter takes the square of their number: Unicode's own limit is 30 (UAX 15, section 13).
IN_PARTS = re.compile("[^\\W\\d_][\u0300-\u036f\u3099\u309a]{1,30}|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")


def composed(text: str) -> str:
    """The text with such letters put together."""
    if text.isascii() or not SECOND_PART.search(text):
        return text
    return IN_PARTS.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)
