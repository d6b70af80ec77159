"""Answers that begin with a copy of the prompt: a fault of many exports, or of a model that continued a text."""

from __future__ import annotations

SHORTEST_COPY = 40  # characters; a shorter one may be said on purpose, as in "What is a cat? A cat is …"
OPENERS = " \t\n\"'“„«>*#"
CLOSERS = " \t\n\"'”“»*#:-—"


def length_of_echo(prompt: str, answer: str) -> int:
    """How many characters of the answer are a copy of the prompt at its beginning; 0 for none.

    Spacing may differ. A copy that is the whole answer counts too: proofreading aside, it answers nothing.
    """
    asked = prompt.strip()
    said = answer.lstrip(OPENERS)
    if len(asked) < SHORTEST_COPY or said[:8] != asked[:8]:
        return 0
    if said.startswith(asked):
        return len(answer) - len(said) + len(asked)
    words = asked.split()
    copied = said.split(maxsplit=len(words))
    if copied[: len(words)] != words:
        return 0
    return len(answer) - (len(copied[-1]) if len(copied) > len(words) else 0)


def without_echo(prompt: str, answer: str) -> str:
    """The answer without the copy; the answer itself where nothing would be left."""
    rest = answer[length_of_echo(prompt, answer) :]
    return answer if rest == answer else rest.lstrip(CLOSERS) or answer
