"""Encoding damage: UTF-8 that was read as another encoding, once or several times. By ftfy, its other repairs off."""

from __future__ import annotations

import re

import ftfy

MOJIBAKE_ONLY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_encoding=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)
# Damage shows as two neighbours outside ASCII, one of them perhaps turned into a space or a question mark, or as a
# control code of Latin-1. A lone ’ or é between plain letters needs no closer look.
SUSPECT = re.compile("[^\x00-\x7f][^\x00-\x7f]|[\x80-\x9f]|[ÂÃÅÎÐÙ√¬├┬ðâ][ ?]")
# What the code page of DOS makes of ’ – € and the like, which ftfy leaves alone: Γ before two such signs.
_FOLLOWING = re.escape(bytes(range(0x80, 0xC0)).decode("cp437"))
DOS_PUNCTUATION = re.compile(f"Γ[{_FOLLOWING}]{{2}}")


def mended(text: str) -> str:
    """The text with encoding damage repaired, line by line: sound lines do not hide a damaged one."""
    if text.isascii() or not SUSPECT.search(text):
        return text
    return "\n".join(_mended_line(line) for line in text.split("\n"))


def _mended_line(line: str) -> str:
    if line.isascii() or not SUSPECT.search(line):
        return line
    return DOS_PUNCTUATION.sub(_from_dos, ftfy.fix_encoding(line, MOJIBAKE_ONLY))


def _from_dos(match: re.Match[str]) -> str:
    return match[0].encode("cp437").decode("utf-8")
