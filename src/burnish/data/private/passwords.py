"""Passwords and keys that the text itself calls so: "password: …", "api_key = '…'", "mon mot de passe est …"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from burnish.data.private.finding import Finding

_PASSWORD = (
    r"passw(?:or[dt]|d)|passphrase|passcode|pass|pwd|pw|kennwort|contraseña|mot de passe|mdp|senha|palavra-passe|"
    r"wachtwoord|hasło|parola|пароль|密码|パスワード"
)
_KEY = r"(?:api|access|secret|private|auth|client|encryption|signing|bearer|service)[ _-]?(?:key|token|secret)|bearer"
# One of these stands in every text in which something can be found.
HINTS = (
    *("pass", "pwd", "pw", "kennwort", "contraseña", "mdp", "senha", "wachtwoord", "hasło", "parola", "пароль", "密码"),
    *("パスワード", "key", "token", "secret", "bearer"),
)
_FOR = r"(?:[ _]?(?:for|für|para|pour|per|to|of|zum|du|de|del|voor|do|dla) (?:[^\W\d]|[ .@-]){1,25}?)?"
_IS = (
    r"(?:[\"'`]?\s*(?::=|=>|=|:|：)\s*|[\"'`]?\s+"
    r"(?:is|was|to|now|changed to|set to|reset to|ist|war|lautet|auf|es|era|est|était|é|è|jest|это|als)"
    r"(?: (?:now|still|just|always|jetzt|ahora|maintenant))?:?\s+|是[:：]?\s*|は[:：]?\s*)"
)
_VALUE = r"(?P<quote>[\"'`«“„]?)(?P<value>[^\s\"'`«»“”„<>{}\[\]，。]{6,128})"
_SAID = re.compile(rf"(?<![A-Za-z])(?:(?P<password>{_PASSWORD})|(?P<key>{_KEY}))s?{_FOR}{_IS}{_VALUE}", re.IGNORECASE)
_BESIDE = re.compile(
    rf"(?<![A-Za-z])(?:passwor[dt]|passwd|mot de passe|kennwort|contraseña|senha|(?P<key>bearer))[ \t]+{_VALUE}",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{1,64}:(?P<value>[^\s:/@\"'<>${}]{3,128})@[\w.-]+", re.IGNORECASE
)
# Placeholders, variables, calls and words about passwords.
_NO_VALUE = re.compile(
    r"[$%*•.…x_-]+\w{0,4}$|[~.]{0,2}/|\$|%\w+%|your|<|process\.env|os\.|getenv|config|settings\.|self\.|none$|null$|undefined$|true$|"
    r"false$|\w+\(|\w+\.\w+\.\w+$|https?:|[\w.]+\(\)|input|prompt|required|redacted|example|pass(?:word|wort)\W*$|\w+\[",
    re.IGNORECASE,
)
SIGNS_OF_PROSE = "-_/.,:;()&’"
LONGEST_NAME = 64  # characters: "client secret for the new shop has been changed to"
LONGEST_VALUE = 128
FEWEST_CHARACTERS = 6
FEWEST_OF_A_KEY = 16
FEWEST_BESIDE = 8


def passwords(text: str) -> Iterator[Finding]:
    """Values that the text calls a password or a secret key, and passwords inside addresses of services."""
    if "://" in text and "@" in text:
        for match in _IN_ADDRESS.finditer(text):
            if not _NO_VALUE.match(match["value"]):
                yield Finding("password", *match.span("value"))
    begin, end = _around_hints(text)
    for match in _SAID.finditer(text, begin, end):
        value = _value(match)
        if _is_key(value) if match["key"] else _is_password(value):
            yield _finding("key" if match["key"] else "password", match, value)
    for match in _BESIDE.finditer(text, begin, end):
        value = _value(match)
        strong = len(value) >= FEWEST_BESIDE and _has_digits_and_letters(value)
        if _is_key(value) if match["key"] else strong and _is_password(value):
            yield _finding("key" if match["key"] else "password", match, value)


def _around_hints(text: str) -> tuple[int, int]:
    """The part of the text in which something can be found, (0, 0) for none; the rest is not searched."""
    lower = text.lower()
    if len(lower) != len(text):  # a few capitals become two characters: places in `lower` say nothing
        return 0, len(text)
    hints = [hint for hint in HINTS if hint in lower]
    if not hints:
        return 0, 0
    first, last = min(map(lower.find, hints)), max(map(lower.rfind, hints))
    return max(0, first - LONGEST_NAME), last + LONGEST_NAME + LONGEST_VALUE


def _value(match: re.Match[str]) -> str:
    """The value without the full stop of the sentence, unless it is quoted."""
    value = match["value"]
    return value if match["quote"] else value.rstrip(".,;:!?)")


def _finding(kind: Literal["key", "password"], match: re.Match[str], value: str) -> Finding:
    return Finding(kind, match.start("value"), match.start("value") + len(value))


def _has_digits_and_letters(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_password(value: str) -> bool:
    """Letters with digits or signs among them: the words of a sentence have none."""
    if len(value) < FEWEST_CHARACTERS or _NO_VALUE.match(value):
        return False
    signs = sum(not character.isalnum() and character not in SIGNS_OF_PROSE for character in value)
    return (
        _has_digits_and_letters(value)
        or (signs >= 2 and any(map(str.isalpha, value)))
        or (signs > 0 and any(map(str.isdigit, value)) and len(value) >= FEWEST_BESIDE)
    )


def _is_key(value: str) -> bool:
    return (
        len(value) >= FEWEST_OF_A_KEY
        and _has_digits_and_letters(value)
        and len(set(value)) >= FEWEST_OF_A_KEY // 2
        and re.fullmatch(r"[\w+/=.~-]+", value) is not None
        and not _NO_VALUE.match(value)
    )
