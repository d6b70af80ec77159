"""Telephone numbers, checked by phonenumbers against the numbering plans of the countries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import phonenumbers

from burnish.data.private.finding import Finding

_RUN = re.compile(
    r"(?<![\w.,:/#=&?%+-])(?:\(?0\d{2,5}\)? / \d+(?:[ -]\d+)*|"
    r"(?:\+|00(?=[1-9]))?\(?\d+(?:(?:[ \u00a0.\-/]\(?|\)[ \u00a0.\-/]?)\d+)*)"
    r"(?![\w%€$£@]|[.,:]\d)",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}([.\-/])\d\d?\1\d\d?|\d\d?([.\-/])\d\d?\2\d{4}")
FEWEST_DIGITS, MOST_DIGITS = 7, 16
# Written so, a number is a telephone number wherever it stands.
_AMERICAN = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d-)[2-9]\d\d[-. ]\d{4}")
_FRENCH = re.compile(r"0[1-9](?:[ .-]\d\d){4}")
_BRITISH_MOBILE = re.compile(r"07\d{3} \d{6}|07\d{3} \d{3} \d{3}")
_SHAPES = ((_AMERICAN, "US"), (_FRENCH, "FR"), (_BRITISH_MOBILE, "GB"))
_SAID = re.compile(
    r"\bt[eé]l\b|phone|\bcall(?:ed|ing)?\b|\bmobile\b|\bcell\b|\bfax\b|landline|festnetz|whatsapp|\bsms\b|\bdial\b|hotline|"
    r"\btext(?:ed)? (?:me|him|her|us)|\bring\b|(?:my|your|his|her) number|reach (?:me|us|him|her)|"
    r"\bconta(?:c?t|tto|cto)\W|telefon|handy|\bmobil|ruf\b|rufen|erreich|(?:mein|dein|ihr)e nummer|téléphone|appel|"
    r"mon portable|\bjoi(?:nd|gn)|mon numéro|teléfono|móvil|\bll[aá]m|mi número|celular|cellulare|chiam|mio numero|"
    r"telefone|telemóvel|\blig(?:ue|ar|a)\b|meu número|\bbel(?:len)?\b|numer tel|zadzwo|komórk|电话|手机|電話|फ़ोन|फोन",
    re.IGNORECASE,
)
_SAID_OTHERWISE = re.compile(
    r"(?:\border|bestell\w*|invoice|rechnung\w*|facture|factura|pedido|commande|ticket|\bcase|\bref\w*|reference|isbn|issn|"
    r"\bdoi|tracking|sendung\w*|serial|model|article|artikel\w*|account|konto\w*|customer|kunden\w*|\bpin|\bid|code|\bsku|"
    r"part|zip|plz|version|patent|flight|coordinates?|population)\b[ \w.:#°=-]{0,14}$",
    re.IGNORECASE,
)
_BEFORE = 40  # characters in which a word says what a number is
_AFTER = 14


def phones(text: str, begin: int, end: int, regions: Sequence[str]) -> Iterator[Finding]:
    """Numbers with their country's code, in a shape of telephone numbers only, or beside a word that says so.

    Looks at text[begin:end]; words beside a number may stand outside it.
    """
    for match in _RUN.finditer(text, begin, end):
        run = match[0]
        if _DATE.fullmatch(run) or not FEWEST_DIGITS <= sum(map(str.isdigit, run)) <= MOST_DIGITS:
            continue
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        said = _SAID.search(before) or _SAID.match(text[match.end() : match.end() + _AFTER].lstrip(" ("))
        if _is_phone(run, before, said is not None, regions):
            yield Finding("phone", *match.span())


def _is_phone(run: str, before: str, said: bool, regions: Sequence[str]) -> bool:
    if run.startswith("+"):
        return _is_possible(run)
    if _SAID_OTHERWISE.search(before):
        return False
    if run.startswith("00"):
        return (said or not run.isdigit()) and _is_valid(f"+{run[2:]}", None)
    if any(shape.fullmatch(run) and _is_valid(run, region) for shape, region in _SHAPES):
        return True
    return said and any(_is_valid(run, region) for region in regions)


def _is_possible(run: str) -> bool:
    """Of the right length for its country: with a + in front, its range may be newer than the plans known here."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(run, None))
    except phonenumbers.NumberParseException:
        return False


def _is_valid(run: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(run, region))
    except phonenumbers.NumberParseException:
        return False
