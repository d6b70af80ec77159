"""Questions that a passage of a document answers, each with its answer, as rows of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from burnish.core.records import Chat, Message
from burnish.data.grow import checks
from burnish.data.grow.documents import Passage
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.reply import without_thoughts
from burnish.data.normalised import normalised

REQUEST = (
    "Write {count} about the text. Each question must name what it is about, so that somebody who has not read the "
    "text understands it, and each answer must stand in the text. Use the language of the text.\n\nText:\n{text}"
)
# An example shows the form better than words do.
EXAMPLE = (
    "The museum of clocks in Ellbrunn is open from April to October. Its oldest piece is a tower clock of 1561. "
    "Children under 12 pay nothing.",
    "Q: When is the museum of clocks in Ellbrunn open?\nA: From April to October.\n\n"
    "Q: What is the oldest piece in the museum of clocks in Ellbrunn?\nA: A tower clock of 1561.",
)
IN_DOCUMENT = 0.6  # share of an answer's words of weight that must stand in the passage
_MARK = r"[*_#\s]*(?:\d{1,2}[.)]\s*)?[*_]*"
_ASKED = re.compile(_MARK + r"(?:Q|Question|Frage|Pregunta|Domanda|Pergunta|Vraag)\s?\d{0,2}\s?[:.)][*_]*\s*", re.I)
_SAID = re.compile(
    _MARK + r"(?:A|Answer|Antwort|Réponse|Respuesta|Risposta|Resposta|Antwoord)\s?\d{0,2}\s?[:.)][*_]*\s*", re.I
)
_SAID_BESIDE = re.compile(r"\s(?:A|Answer)\s?\d{0,2}:\s")
_POINTS_AT_TEXT = re.compile(
    r"\b(?:(?:the|this|that) (?:above |given |following |provided )?(?:text|passage|document|article|paragraph|excerpt)"
    r"|according to the author|mentioned above|(?:im|der|dem) (?:obigen )?(?:text|abschnitt)|"
    r"(?:le|ce) (?:texte|passage)|(?:el|este) texto)\b",
    re.IGNORECASE,
)


def request(passage: Passage, count: int) -> tuple[Message, ...]:
    """What the model is told: an example, then the passage."""
    text, reply = EXAMPLE
    wanted = "1 question with its answer" if count == 1 else f"{count} questions with their answers"
    return (
        Message("user", REQUEST.format(count="2 questions with their answers", text=text)),
        Message("assistant", reply),
        Message("user", REQUEST.format(count=wanted, text=passage.text)),
    )


def pairs(reply: str) -> list[tuple[str, str]]:
    """Questions and answers of a reply, in order. Raises Rejected: it holds none."""
    found: list[tuple[list[str], list[str]]] = []
    answering = False
    for line in _lines(without_thoughts(reply)):
        if mark := _ASKED.match(line):
            found.append(([line[mark.end() :]], []))
            answering = False
        elif found and (mark := _SAID.match(line)):
            found[-1][1].append(line[mark.end() :])
            answering = True
        elif found:
            found[-1][1 if answering else 0].append(line)
    if not any(said for _, said in found):
        raise Rejected("made_not_parseable")
    return [(_joined(asked), _joined(said)) for asked, said in found]


def _lines(reply: str) -> Iterator[str]:
    """The lines; one that holds question and answer counts as two."""
    for line in reply.split("\n"):
        beside = _SAID_BESIDE.search(line) if _ASKED.match(line) else None
        if beside:
            yield line[: beside.start()]
            yield line[beside.start() + 1 :]
        else:
            yield line


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip().strip("*_").strip()


def question_row(passage: Passage, asked: str, said: str) -> Chat:
    """One question with its answer as a row. Raises Rejected."""
    if not asked or not said:
        raise Rejected("made_empty", "the answer" if asked else "the question")
    if normalised(asked) == normalised(said):
        raise Rejected("made_same")
    if _POINTS_AT_TEXT.search(asked):
        raise Rejected("made_needs_document", asked[:80])
    checks.check_not_refused(said, passage.text)
    checks.check_length(asked, passage.text)
    if len(said) > len(passage.text):
        raise Rejected("made_too_long", f"{len(said)} characters from {len(passage.text)}")
    checks.check_no_new_numbers(f"{asked} {said}", passage.text)
    checks.check_language(f"{asked} {said}", passage.text)
    _check_in_document(asked, said, passage.text)
    return Chat("", (Message("user", asked), Message("assistant", said)), passage.source, passage.group)


def _check_in_document(asked: str, said: str, text: str) -> None:
    there = checks.stems(text)
    words = checks.stems(said)
    if words and len(words & there) < IN_DOCUMENT * len(words):
        raise Rejected("made_not_in_document", f"not there: {', '.join(sorted(words - there)[:8])}")
    if checks.stems(asked) and not checks.stems(asked) & there:
        raise Rejected("made_unrelated", asked[:80])
