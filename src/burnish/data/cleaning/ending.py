"""How an answer ends: the evidence, row by row, from which the set as a whole decides what is broken off."""

from __future__ import annotations

import json
import re

SHORTEST_PROSE = 40  # characters: below, answers are names, numbers and labels

CLOSED = 1  # ends as a sentence does
OPEN_FENCE = 2  # a code block that is not closed
OPEN_JSON = 4  # a JSON value that is not closed
CUT_MARK = 8  # says itself that it was cut
HANGING = 16  # ends in a comma, a hyphen, three dots, an open bracket or a word that needs another
UNFINISHED = 32  # a line of prose without an end

_ENDS = re.compile(r"[.!?。！？।؟:;][\"'“”’»)\]*_`]*$|[\"“”»)\]}>`|]$|```$")
_CUT = re.compile(
    r"(?:\[\s*(?:\.\.\.|…|truncated|cut off|continued)\s*\]|\((?:truncated|continued|cont\.?)\)|<truncated>)$",
    re.IGNORECASE,
)
_DOTS = re.compile(r"\w(?:\.\.\.|…)$")
_HANGING = re.compile(
    r"[,(\[{–—&/=+…]$|[\w\s]-$|\w\.\.\.$|[\s,](?:and|or|but|the|a|an|of|to|in|on|with|for|from|by|that|which|because|is|are|was|were|"
    r"und|oder|aber|der|die|das|den|dem|ein|eine|einen|mit|von|zu|für|dass|weil|ist|sind|"
    r"et|ou|mais|le|la|les|un|une|des|du|de|avec|pour|dans|que|qui|"
    r"y|o|pero|el|los|las|una|con|para|por|en|e|il|lo|gli|di|per|che|os|as|um|uma|em)$",
    re.IGNORECASE,
)
# A last line of these kinds needs no full stop: list items, headings, table rows, links, sums, signatures, code.
_NO_PROSE = re.compile(r"^\s*(?:[-*•#>|+]|\d+[.)]|\(?[a-z]\)|https?:|####)|[=<>{};]|\w\(|\d[\s%€$)]*$|^\W*$")
_BACKTICKS = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


def ending_of(answer: str) -> int:
    """A sum of the marks above; 0 for an answer too short to be prose."""
    text = answer.rstrip()
    marks = OPEN_FENCE if "```" in text and len(_BACKTICKS.findall(text)) % 2 else 0
    if text[:1] in "{[" and _is_open_json(text):
        return marks | OPEN_JSON
    if len(text) < SHORTEST_PROSE:
        return marks
    tail = text[-80:]
    if _CUT.search(tail):
        return marks | CUT_MARK
    if _ENDS.search(tail) and not _DOTS.search(tail):
        return marks | CLOSED
    last_line = text[text.rfind("\n") + 1 :]
    if marks or _NO_PROSE.search(last_line) or (text.count("\n", -400) > 3 and len(last_line) < SHORTEST_PROSE):
        return marks
    if _HANGING.search(tail):
        return HANGING
    return UNFINISHED if len(last_line.split()) >= 4 else 0


def _is_open_json(text: str) -> bool:
    """Begins as a JSON object or list and ends before it is closed."""
    if not re.match(r"[\[{]\s*[\[{\"\d}\]]", text):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - 1 or "Unterminated" in error.msg
    except RecursionError:
        return False
    return False
