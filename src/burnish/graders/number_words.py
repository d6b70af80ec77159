"""Numbers that are written as English words, from zero to ninety-nine."""

from __future__ import annotations

import re

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUES = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    **{f"{tens}-{ones}": 10 * t + o for t, tens in enumerate(_TENS, 2) for o, ones in enumerate(_ONES[1:10], 1)},
}
_WORD = re.compile(r"\s*[*\"'(]*([a-z]{3,9}(?:[ -][a-z]{3,5})?)\b", re.IGNORECASE)


def leading_word(text: str) -> int | None:
    """The number that a text begins with in words, such as "Twenty-one boxes"; None where there is none."""
    word = _WORD.match(text)
    if word is None:
        return None
    whole = word[1].lower().replace(" ", "-")
    return VALUES.get(whole, VALUES.get(re.split("[ -]", whole)[0]))
