"""Do answers hold long spans of train word for word? 13 words, as Brown et al. 2020 looked for known test rows.

Not counted are spans that stand in the prompt, in names of labels, or in several rows of train: forms of speech that
anybody may learn give no row away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from burnish.core.records import Chat, Pair, Row, Text
from burnish.evals.effects.words import words

SPAN = 13  # words
FREQUENT = 2  # rows of train: what stands in more is common
MOST_WORDS = 5_000_000  # of train that are searched

Place = tuple[int, int]  # row of train, word


def learnt_texts(rows: Iterable[Row]) -> Iterator[str]:
    """What training teaches to say; of a preference the better answer."""
    for row in rows:
        if isinstance(row, Text):
            yield row.text
        elif isinstance(row, Pair):
            yield row.chosen
        elif isinstance(row, Chat):
            yield "\n".join(turn.said for turn in row.messages if turn.role == "assistant" and turn.trained)


def verbatim_words(
    answers: Sequence[tuple[str, str]], train: Iterable[str], labels: Collection[str] = ()
) -> tuple[list[int], int]:
    """For each (prompt, answer) the words of the longest span that it shares with a row of train, 0 below 13 words;
    and how many rows were searched.
    """
    known = {gram for label in labels for gram in _grams(words(label))}
    wanted = [_own_grams(prompt, answer, known) for prompt, answer in answers]
    places, rows = _places(train, {gram for grams in wanted for gram in grams if gram is not None})
    return [_longest(grams, places) for grams in wanted], rows


def _grams(said: Sequence[str]) -> list[int]:
    """Each run of 13 words as one number: only this process compares them."""
    return [hash(tuple(said[start : start + SPAN])) for start in range(len(said) - SPAN + 1)]


def _own_grams(prompt: str, answer: str, known: Collection[int]) -> list[int | None]:
    """The runs of the answer in order; None in the place of one that is not its own."""
    grams = _grams(words(answer))
    asked = {*_grams(words(prompt)), *known} if grams else set()
    return [None if gram in asked else gram for gram in grams]


def _places(train: Iterable[str], wanted: Collection[int]) -> tuple[dict[int, list[Place]], int]:
    """Where the wanted runs stand in train, those that stand in few rows only; and the rows that were read."""
    found: dict[int, list[Place]] = defaultdict(list)
    rows, read = 0, 0
    for number, text in enumerate(train):
        said = words(text)
        rows, read = rows + 1, read + len(said)
        for place, gram in enumerate(_grams(said)):
            if gram in wanted and len(found[gram]) <= FREQUENT:
                found[gram].append((number, place))
        if read >= MOST_WORDS:
            break
    rare = {gram: places for gram, places in found.items() if len({row for row, _ in places}) <= FREQUENT}
    return rare, rows


def _longest(grams: Sequence[int | None], places: dict[int, list[Place]]) -> int:
    """Words of the longest span that goes on in one row."""
    before: dict[Place, int] = {}
    longest = 0
    for gram in grams:
        here = places.get(gram, []) if gram is not None else []
        before = {(row, place): before.get((row, place - 1), 0) + 1 for row, place in here}
        longest = max(longest, *before.values(), 0)
    return longest + SPAN - 1 if longest else 0
