"""E-mail addresses and public internet addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from burnish.data.private.finding import Finding

_EMAIL = re.compile(
    r"(?<![A-Za-zÀ-ɏ\d_.+@/-])[A-Za-zÀ-ɏ\d_+](?:[A-Za-zÀ-ɏ\d_.+'-]{0,62}[A-Za-zÀ-ɏ\d_+])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24}(?![\w@-]|\.\w)"
)
# RFC 2606 keeps these for examples; the rest are file names (logo@2x.png) and machines that nobody reads mail on.
_NOBODY = re.compile(
    r"@(?:[\w-]+\.)*(?:example(?:\.\w+)?|test|invalid|localhost|local)$|"
    r"\.(?:png|jpe?g|gif|svg|webp|css|js|ts|py|rb|go|java|html?|json|md|txt|so|dll)$|"
    r"^(?:git|noreply|no-reply|do-not-reply)@",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\d\.\d{1,3}\.\d")
_IP4 = re.compile(r"(?<![\w.\-/])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:|::)[0-9A-Fa-f:]{3,36}[0-9A-Fa-f](?![\w:])")
_SAID = re.compile(r"\bip(?:v[46])?\b|\badd?res|dirección|direccion|endereço|indirizzo", re.IGNORECASE)
_SAID_OTHERWISE = re.compile(
    r"versi[oó]n|versão|\bver\b|\bv$|release|build|firmware|driver|kernel|section|abschnitt|kapitel|chapter|§|clause|"
    r"\boid\b|python|java|\bsdk\b|update|upgrade|[<>=~]=\s*$|\^$",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"server|host|client|ping|\bfrom\b|\bvon\b|login|connect", re.IGNORECASE)
_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})  # everybody's, nobody's
_BEFORE = 30  # characters in which a word says what a number is


def emails(text: str) -> Iterator[Finding]:
    """Addresses of people; those kept for examples and those of machines are left out."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not _NOBODY.search(match[0]):
                yield Finding("email", *match.span())


def internet_addresses(text: str) -> Iterator[Finding]:
    """IPv4 and IPv6 addresses that are public; not version numbers, private networks or the well-known resolvers."""
    if _DOTTED.search(text):
        for match in _IP4.finditer(text):
            before = text[max(0, match.start() - _BEFORE) : match.start()]
            if _is_public(match[0]) and _is_no_version(match[0], before):
                yield Finding("ip", *match.span())
    if "::" in text or text.count(":") >= 7:
        for match in _IP6.finditer(text):
            if match[0].count(":") >= 2 and match[0][0] in "23" and len(match[0]) >= 9 and _is_public(match[0]):
                yield Finding("ip", *match.span())


def _is_no_version(address: str, before: str) -> bool:
    """Versions are of small numbers, as 4.18.0.1: such an address needs a word that says it is one."""
    if _SAID.search(before):
        return True
    if _SAID_OTHERWISE.search(before):
        return False
    return sum(int(part) > 31 for part in address.split(".")) >= 2 or _MACHINE.search(before) is not None


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global and address not in _RESOLVERS
    except ValueError:
        return False
