"""Is a text that is not UTF-8 certainly Windows-1252 (which holds Latin-1)? Judged by its letters, not by its bytes.

A byte alone says little: 0xE8 is è, č, и or half of a Chinese character. But nearly all text of the west of Europe puts
single accented letters between plain ones, takes them from the few that one or two languages use, and has no signs
inside words. Text of other encodings breaks one of these rules at once when it is read as Windows-1252.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

WESTERN = "windows-1252"
# Languages that often share a file; Portuguese and Estonian stand alone, for õ with ö is Hungarian. Icelandic is left
# out: its letters are those of Turkish under another name.
TOGETHER = {
    "German": "äöüß",
    "French": "àâçéèêëîïôœùûü",
    "Spanish": "áéíóúüñ",
    "Italian": "àèéìíîòóùú",
    "Dutch": "áéèëïóöü",
    "Swedish and Finnish": "åäöé",
    "Danish and Norwegian": "æøåé",
    "Catalan": "àçéèíïóòúü",
}
ALONE = {"Portuguese": "áâãàçéêíóôõúü", "Estonian": "äöüõ"}
ALPHABETS = [
    *(frozenset(first + second) for first, second in combinations(TOGETHER.values(), 2)),
    *map(frozenset, ALONE.values()),
]
MOST_EXCEPTIONS = 0.01
ENOUGH_WORDS = 20_000

WORD = re.compile(r"[^\W\d_ªºµ²³¹¼½¾]*[^\W\d_ªºµ²³¹¼½¾\x00-\x7f][^\W\d_ªºµ²³¹¼½¾]*")
PLAIN_LETTER = re.compile(r"[A-Za-z]")
CAPITAL_INSIDE = re.compile(r"[a-zß-öø-ÿ][À-ÖØ-ÞŠŒŽŸ]")
# Apostrophes, dashes, middle dots, soft hyphens and hard spaces do stand between letters.
SIGN_INSIDE = re.compile(r"[^\W\d_ªºµ²³¹¼½¾](?:[^\w\x00-\x7f\xa0\xad’‘´·–—…]|[ªºµ²³¹¼½¾])(?=[^\W\d_ªºµ²³¹¼½¾])")
SIGN = re.compile(r"[^\w\x00-\x7f]|[ªºµ²³¹¼½¾]")


@dataclass
class Western:
    """What the lines seen so far have in common with text in Windows-1252."""

    letters: Counter[str] = field(default_factory=Counter)
    words: int = 0
    signs: int = 0
    exceptions: int = 0
    undefined: bool = False

    def add(self, line: bytes) -> None:
        """Counts one line that is not UTF-8."""
        try:
            text = line.decode(WESTERN)
        except UnicodeDecodeError:
            self.undefined = True
            return
        if self.words > ENOUGH_WORDS:
            return
        self.signs += len(SIGN.findall(text))
        self.exceptions += len(SIGN_INSIDE.findall(text))
        for word in WORD.findall(text):
            self.words += 1
            self.letters.update(letter for letter in word.lower() if not letter.isascii())
            no_plain_letter = len(word) > 1 and not PLAIN_LETTER.search(word)
            self.exceptions += bool(no_plain_letter or CAPITAL_INSIDE.search(word))

    @property
    def certain(self) -> bool:
        """Whether nothing speaks against Windows-1252, up to one exception in a hundred."""
        if self.undefined or self.exceptions > MOST_EXCEPTIONS * (self.words + self.signs):
            return False
        known = max(sum(self.letters[letter] for letter in alphabet) for alphabet in ALPHABETS)
        return self.letters.total() - known <= MOST_EXCEPTIONS * self.letters.total()
