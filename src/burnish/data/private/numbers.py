"""Payment cards and bank accounts: long numbers with check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from burnish.data.private.finding import Finding

_CARD = re.compile(
    r"(?<![\w.\-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3\d{3}([ -])\d{6}\2\d{4,5}|\d{13,19})(?![\w]|[.\-]\d)", re.ASCII
)
# Beginnings and lengths that the networks issue (ISO/IEC 7812).
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|"
    r"(?:5018|5020|5038|6304|6759|676[1-3])\d{9,15}"
)
_IBAN = re.compile(r"(?<![\w])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?!\w)", re.ASCII)
SHORTEST_IBAN = 15  # characters: Norway


def cards(text: str, begin: int, end: int) -> Iterator[Finding]:
    """Numbers of payment cards in text[begin:end]: issued beginning, length and the check digit of Luhn."""
    for match in _CARD.finditer(text, begin, end):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUED.fullmatch(digits) and len(set(digits)) > 1 and luhn.is_valid(digits):
            yield Finding("card", *match.span())


def ibans(text: str, begin: int, end: int) -> Iterator[Finding]:
    """International bank account numbers in text[begin:end], checked by country (ISO 13616)."""
    for match in _IBAN.finditer(text, begin, end):
        # a word in capitals may follow the number: the longest beginning that is valid counts
        for stop in range(match.end(), match.start() + SHORTEST_IBAN - 1, -1):
            if text[stop - 1] not in " -" and iban.is_valid(text[match.start() : stop]):
                yield Finding("iban", match.start(), stop)
                break
