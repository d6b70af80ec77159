"""Rows for the tests on duplicates: conversations from texts, and copies with a few words changed."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Sequence

import numpy as np

from burnish.core.records import Chat, Message, Row
from burnish.data.duplicates.fingerprint import Fingerprinter, Fingerprints

Exchange = tuple[str, str]  # a prompt and its answer


def chat(prompt: str, answer: str) -> Chat:
    return Chat("", (Message("user", prompt), Message("assistant", answer)))


def fingerprinted(rows: Iterable[Row]) -> Fingerprints:
    fingerprinter = Fingerprinter()
    for row in rows:
        fingerprinter.add(row)
    return fingerprinter.finish()


def everything(fingerprints: Fingerprints) -> np.ndarray:
    return np.ones(len(fingerprints), np.bool_)


def typo(word: str, rng: random.Random) -> str:
    """Two letters swapped, one left out, or one added."""
    place = rng.randrange(max(1, len(word) - 1))
    kind = rng.randrange(3)
    if kind == 0:
        return word[:place] + word[place + 1 : place + 2] + word[place : place + 1] + word[place + 2 :]
    return word[:place] + (rng.choice(string.ascii_lowercase) if kind == 1 else "") + word[place + kind - 1 :]


def changed(text: str, words: int, vocabulary: Sequence[str], rng: random.Random) -> str:
    """The text with this many words replaced, left out, added or misspelt."""
    parts = text.split(" ")
    for place in sorted(rng.sample(range(len(parts)), min(words, len(parts))), reverse=True):
        kind = rng.choice(("replace", "leave out", "add", "misspell"))
        if kind == "replace":
            parts[place] = rng.choice(vocabulary)
        elif kind == "leave out" and len(parts) > 2:
            del parts[place]
        elif kind == "add":
            parts.insert(place, rng.choice(vocabulary))
        else:
            parts[place] = typo(parts[place], rng)
    return " ".join(parts)


def with_copies(rows: Sequence[Exchange], copies: int, seed: int) -> tuple[list[Exchange], dict[int, int]]:
    """The rows and copies with 1 to 3 words of the prompt changed. Returns them and copy → its original."""
    rng = random.Random(seed)
    vocabulary = [word for prompt, _ in rows for word in prompt.split()]
    out, origin = list(rows), {}
    while len(origin) < copies:
        place = rng.randrange(len(rows))
        prompt, answer = rows[place]
        copy = changed(prompt, rng.randint(1, 3), vocabulary, rng)
        if copy != prompt:
            origin[len(out)] = place
            out.append((copy, answer))
    return out, origin
