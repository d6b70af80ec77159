"""UTF-8, piece by piece; and what becomes of a line that is not UTF-8.

- Every other line is plain ASCII, and the letters leave no doubt: it is Windows-1252, and so are those that follow.
- Other lines hold UTF-8 beyond ASCII, or only one line in a thousand is odd: the line is damaged and will be dropped.
- Otherwise the encoding has to be asked for.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from charset_normalizer import from_bytes

from burnish.core.errors import DataError
from burnish.data.read.raw import SHOWN_CHARACTERS
from burnish.data.read.western import WESTERN, Western

LINES_PER_DAMAGED_LINE = 1000
CAPITAL_INSIDE = re.compile(r"[а-яё][А-ЯЁ]")
# What the files of people are in, where they are not UTF-8 or Windows-1252.
COMMON = [f"cp125{digit}" for digit in range(9)] + ["koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
COMMON += ["mac_roman", "cp850"]


@dataclass
class Decoding:
    """How the bytes of one file became text, so far."""

    name: str
    encoding: str = "utf-8"
    note: str = ""
    damaged: bool = False
    beyond_ascii: bool = False
    line: int = 1
    western: Western = field(default_factory=Western)


@dataclass(frozen=True)
class OddLine:
    """A line that is not UTF-8, by its index in a block of lines."""

    index: int
    content: bytes
    wrong: int


def utf8(pieces: Iterable[bytes], found: Decoding, *, guess: bool) -> Iterator[str]:
    """Text of pieces that are UTF-8 for the most part; `guess` allows Windows-1252.

    Raises DataError: the encoding has to be asked for.
    """
    rest = b""
    for piece in chain(pieces, [b""]):
        block = rest + piece
        try:
            text, used = codecs.utf_8_decode(block, "strict", not piece)
            if used < len(block) and not rest:  # cut in a character, it seems: its whole line waits for the next piece
                used = block.rfind(b"\n") + 1
                text = block[:used].decode()
            found.beyond_ascii |= used > len(text)
        except UnicodeDecodeError:
            used = _whole_characters(block) if piece else len(block)
            text = _with_odd_lines(block[:used], found, guess=guess)
        rest = block[used:]
        found.line += text.count("\n")
        yield text


def _whole_characters(block: bytes) -> int:
    """Bytes of a block without a character that its end cuts in two."""
    for back in range(1, min(4, len(block) + 1)):
        first = block[-back]
        if 0xC2 <= first <= 0xF4:
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return len(block) - back if length > back else len(block)
        if first < 0x80:
            break
    return len(block)


def _with_odd_lines(block: bytes, found: Decoding, *, guess: bool) -> str:
    texts: list[str] = []
    odd: list[OddLine] = []
    for index, line in enumerate(block.split(b"\n")):
        try:
            texts.append(line.decode())
            found.beyond_ascii |= not line.isascii()
        except UnicodeDecodeError as error:
            texts.append("")
            odd.append(OddLine(index, line, error.start))
            found.beyond_ascii |= _is_utf8_mostly(line)
    if not odd:  # the wrong byte waits for the next piece
        return "\n".join(texts)
    as_western = guess and _are_western(odd, found)
    if not as_western:
        if guess and not found.beyond_ascii and len(odd) * LINES_PER_DAMAGED_LINE > found.line + len(texts):
            raise _uncertain(odd, found)
        found.damaged = True
    for one in odd:
        texts[one.index] = one.content.decode(WESTERN) if as_western else one.content.decode(errors="surrogateescape")
    return "\n".join(texts)


def _is_utf8_mostly(line: bytes) -> bool:
    """Whether more characters of a line are UTF-8 beyond ASCII than bytes of it are not: chance does not do that."""
    characters = [one for one in line.decode(errors="surrogateescape") if not one.isascii()]
    wrong = sum(one <= "\udfff" and one >= "\ud800" for one in characters)
    return len(characters) > 2 * wrong


def _are_western(odd: list[OddLine], found: Decoding) -> bool:
    """Whether these lines are Windows-1252; the first time, the proof is noted."""
    decided = found.encoding == WESTERN
    if found.damaged or (found.beyond_ascii and not decided):
        return False
    for line in odd:
        found.western.add(line.content)
    if not found.western.certain:
        if decided:
            raise _uncertain(odd, found)
        return False
    if not decided:
        found.encoding = WESTERN
        line = odd[0]
        shown = line.content[max(0, line.wrong - SHOWN_CHARACTERS // 2) :].decode(WESTERN)[:SHOWN_CHARACTERS].strip()
        found.note = f"not UTF-8, read as {WESTERN}; line {found.line + line.index}: {shown}"
    return True


def _uncertain(odd: list[OddLine], found: Decoding) -> DataError:
    line = odd[0]
    seen = f"byte 0x{line.content[line.wrong]:02x} in column {line.wrong + 1}"
    # Cyrillic of one code page is Cyrillic in another, with capitals inside words. The first of equals is the best.
    likely = from_bytes(b"\n".join(one.content for one in odd), cp_isolation=COMMON)
    best = min(likely, key=lambda one: len(CAPITAL_INSIDE.findall(str(one))), default=None)
    name = best.encoding.replace("cp125", "windows-125") if best else "windows-1251"
    if best:
        shown = line.content.decode(best.encoding, "replace").strip()[:SHOWN_CHARACTERS]
        seen += f"; perhaps it is {name}, then the line reads: {shown}"
    return DataError(
        "The file is not UTF-8, and its encoding is not certain.",
        where=f"{found.name}:{found.line + line.index}",
        seen=seen,
        next_move=f"say it in the recipe, such as data.read.encoding: {name}, or save the file as UTF-8",
    )
