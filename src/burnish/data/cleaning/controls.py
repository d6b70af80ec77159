"""Characters that nobody sees: control codes, zero-width marks, direction marks, hidden tags."""

from __future__ import annotations

import re
import unicodedata

TERMINAL_SEQUENCE = "\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)"
FLAG_OF_A_REGION = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # England, Scotland, Wales: tags are their spelling
UNSEEN = (
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
    "\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
# Text has been hidden in long runs of variation selectors; one after a character is how emoji choose their look.
SELECTORS = "(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
HIDDEN = re.compile(f"{TERMINAL_SEQUENCE}|{FLAG_OF_A_REGION}|{UNSEEN}|{SELECTORS}")
HIDDEN_IN_PRINTABLE = re.compile(SELECTORS)

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
JOINED_SCRIPTS = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc]"
)
SCRIPTS_WITHOUT_SPACES = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf]")
ZERO_WIDTH_SPACE, NON_JOINER, JOINER = "\u200b", "\u200c", "\u200d"
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
MONGOLIAN_SEPARATOR = "\u180e"
COLOURED = "\ufe0f"


def without_controls(text: str) -> str:
    """The text without what nobody sees; tabs, line ends and what a script or an emoji needs stay."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text if text.isascii() else HIDDEN_IN_PRINTABLE.sub("", text)
    while (after := HIDDEN.sub(_kept, text)) != text:  # what is taken out may have kept two others apart
        text = after
    return text


def _kept(match: re.Match[str]) -> str:
    """The character where the text needs it, else nothing."""
    found = match[0]
    if found[0] == "\U0001f3f4":
        return found
    around = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
    if found == ZERO_WIDTH_SPACE:
        needed = SCRIPTS_WITHOUT_SPACES.search(around) is not None
    elif found in (NON_JOINER, JOINER, MONGOLIAN_SEPARATOR):
        needed = JOINED_SCRIPTS.search(around) is not None or (found == JOINER and _between_emoji(around))
    else:
        needed = found in DIRECTION_MARKS and RIGHT_TO_LEFT.search(match.string) is not None
    return found if needed else ""


def _between_emoji(around: str) -> bool:
    """Two symbols, of which the first may end in a skin tone or in the mark that asks for its coloured form."""
    before, after = around[:1], around[1:]
    return (before == COLOURED or unicodedata.category(before or " ") in ("So", "Sk")) and (
        unicodedata.category(after or " ") in ("So", "Sm")
    )
