"""Numbers that states give to persons, checked by python-stdnum: check digits, dates, issued ranges.

Where the check alone is weak, a word beside the number must say what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.ie import pps
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import ssn
from stdnum.za import idnr as za_idnr

from burnish.data.private.finding import Finding

_BEFORE = 48  # characters in which a word says what a number is


@dataclass(frozen=True)
class Form:
    """How a number is written and checked; `said` are the words one of which must stand before it, empty for none."""

    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]
    said: re.Pattern[str] | None


def _form(pattern: str, is_valid: Callable[[str], bool], said: str = "") -> Form:
    return Form(
        re.compile(rf"(?<![\w.\-/])(?:{pattern})(?!\w|[.\-/]\d)", re.ASCII),
        is_valid,
        re.compile(rf"\b(?:{said})", re.IGNORECASE) if said else None,
    )


def _as_written(_: str) -> bool:
    return True


_NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
FORMS: tuple[Form, ...] = (
    _form(r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
    _form(r"\d{9}|\d{3} \d{2} \d{4}", ssn.is_valid, "ssn|social security"),
    _form(rf"{_NINO} \d\d \d\d \d\d [A-D]", _as_written),
    _form(rf"{_NINO}\d{{6}}[A-D]", _as_written, "nino|ni number|national insurance|insurance number"),
    _form(r"\d{3}[ -]?\d{3}[ -]?\d{4}", nhs.is_valid, "nhs"),
    _form(r"\d{3}[ -]?\d{3}[ -]?\d{3}", sin.is_valid, "sin|social insurance|assurance sociale|nas"),
    _form(r"\d{3} ?\d{3} ?\d{3}", tfn.is_valid, "tfn|tax file"),
    _form(r"\d{7}[A-W][A-IW]?", pps.is_valid, "pps"),
    _form(r"\d\d ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid, "steuer|idnr|identifikationsnummer|tax id|tin"),
    _form(r"\d{4} ?\d{6}", vnr.is_valid, "svnr|sv-n|sozialversicherung|versicherungsnummer"),
    _form(r"756\.?\d{4}\.?\d{4}\.?\d\d", ahv.is_valid),
    _form(r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", nir.is_valid),
    _form(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", nn.is_valid),
    _form(r"\d{11}", nn.is_valid, "rijksregister|registre national|nationaal nummer"),
    _form(r"\d{9}|\d{4}\.\d\d\.\d{3}", bsn.is_valid, "bsn|burgerservice|sofi"),
    _form(r"\d{8}[ -]?[A-Z]", dni.is_valid, "dni|nif|documento|identidad"),
    _form(r"[XYZ][ -]?\d{7}[ -]?[A-Z]", nie.is_valid, "nie|nif|extranjer|documento|identidad"),
    _form(r"\d{3} ?\d{3} ?\d{3}", nif.is_valid, "nif|contribuinte|fiscal"),
    _form(r"(?i:[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z])", codicefiscale.is_valid),
    _form(r"\d{11}", pesel.is_valid, "pesel"),
    _form(r"\d{6}/\d{4}", rc.is_valid),
    _form(r"\d{13}", cnp.is_valid, "cnp|cod numeric"),
    _form(r"\d{6}[-+]\d{4}", personnummer.is_valid),
    _form(r"(?:19|20)\d{6}-?\d{4}|\d{10}", personnummer.is_valid, "personnummer|personal number|pnr"),
    _form(r"\d{6}-?\d{4}", cpr.is_valid, "cpr"),
    _form(r"\d{6} ?\d{5}", fodselsnummer.is_valid, "fødselsnummer|fodselsnummer|personnummer"),
    _form(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]", hetu.is_valid),
    _form(r"\d{11}", tckimlik.is_valid, "kimlik|tckn|tc no|t\\.c\\."),
    _form(r"\d{3}\.\d{3}\.\d{3}-\d\d", cpf.is_valid),
    _form(r"\d{11}", cpf.is_valid, "cpf"),
    _form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", curp.is_valid),
    _form(r"\d{4}[ -]?\d{4}[ -]?\d{4}", aadhaar.is_valid, "aadhaa?r|uidai|आधार"),
    _form(r"[A-Z]{5}\d{4}[A-Z]", pan.is_valid, "pan"),
    _form(r"\d{17}[\dXx]", ric.is_valid),
    _form(r"\d{6}-\d{7}", rrn.is_valid),
    _form(r"\d{13}", za_idnr.is_valid, "id number|identity|id no|said|id"),
)


def national_ids(text: str, begin: int, end: int) -> Iterator[Finding]:
    """Numbers of persons in the forms above, in text[begin:end]; words beside a number may stand outside it."""
    for form in FORMS:
        for match in form.pattern.finditer(text, begin, end):
            before = text[max(0, match.start() - _BEFORE) : match.start()]
            if (form.said is None or form.said.search(before)) and form.is_valid(match[0]):
                yield Finding("national_id", *match.span())
