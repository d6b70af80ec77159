"""A text without what makes no difference to what it says."""

from __future__ import annotations

import re
import unicodedata

# Punctuation says little in prose and everything in sums: signs of arithmetic and marks inside numbers stay.
SAID_NOWHERE = re.compile(r"[^\w\s*/%&#@+=<>^|~$€£.,:\-−]")
# Accents without end on one letter: to sort them takes the square of their number. Unicode's own limit is 30 (UAX 15).
MOST_MARKS = 30
MANY_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS},}}")
SAID_IN_NUMBERS = re.compile(r"[.,:\-−](?!\d)")


def normalised(text: str) -> str:
    """The text without differences of case, width, spacing and punctuation (Unicode NFKC, case folding)."""
    if not text.isascii():
        text = MANY_MARKS.sub(lambda marks: marks[0][:MOST_MARKS], text)
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(SAID_IN_NUMBERS.sub(" ", SAID_NOWHERE.sub(" ", plain)).split()) or plain.strip()
