"""A text without what makes no difference to what it says."""

from __future__ import annotations

import re
import unicodedata

# Punctuation says little in prose and everything in sums: signs of arithmetic and marks inside numbers stay.
SAID_NOWHERE = re.compile(r"[^\w\s*/%&#@+=<>^|~$€£.,:\-−]")
SAID_IN_NUMBERS = re.compile(r"[.,:\-−](?!\d)")


def normalised(text: str) -> str:
    """The text without differences of case, width, spacing and punctuation (Unicode NFKC, case folding)."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(SAID_IN_NUMBERS.sub(" ", SAID_NOWHERE.sub(" ", plain)).split()) or plain.strip()
