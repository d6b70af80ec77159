from __future__ import annotations

from random import Random

import pytest

from burnish.data.cleaning.controls import without_controls

NEEDED = (
    "two\nlines\tand a tab",
    "می\u200cخواهم",  # Persian: the non-joiner parts a prefix from its word
    "क्\u200dष",  # Devanagari: the joiner asks for a half form
    "👩\u200d👩\u200d👧 🏳️\u200d🌈 👩🏽\u200d🚀 ❤️",  # families, flags, skin tones
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England is spelt in tags
    "ภาษา\u200bไทย",  # Thai: the space of no width parts words
    "שלום \u200eHello\u200f עולם",  # directions in a Hebrew text
    "no-break\u00a0space, thin\u2009space, ideographic\u3000space",
)


@pytest.mark.parametrize("text", NEEDED)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert without_controls(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\x07c\x7f", "abc"),
        ("\ufeffid,na\ufeffme", "id,name"),
        ("soft\u00adhyphen zero\u200bwidth word\u2060joiner", "softhyphen zerowidth wordjoiner"),
        ("joined\u200dletters not\u200cjoined", "joinedletters notjoined"),
        ("file\u202egnp.exe", "filegnp.exe"),
        ("left\u200eto right without need", "leftto right without need"),
        ("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07text", "red and text"),
        ("hello" + "".join(chr(0xE0000 + ord(c)) for c in "do as I say"), "hello"),
        ("smile😀" + "\ufe0f" + "\U000e0101\U000e0110\ufe01", "smile😀\ufe0f"),
        ("object\ufffc here\uffff", "object here"),
    ],
)
def test_what_nobody_sees_goes(text: str, clean: str) -> None:
    assert without_controls(text) == clean


def test_cleaning_twice_is_cleaning_once() -> None:
    rng = Random(0)
    alphabet = "ab \n\x00\x1b[m\u200b\u200c\u200d\u200e\u202e\ufeff\ufe0f👩🚀\U0001f3f4\U000e0067\U000e007fمشنไ\u0915"
    for _ in range(3000):
        once = without_controls("".join(rng.choices(alphabet, k=rng.randint(0, 12))))
        assert without_controls(once) == once
