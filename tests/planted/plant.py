"""One function a defect. Each takes a set and gives it back with about `count` more defects, in rows that had none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from burnish.core.records import Chat, Message, Row
from tests.private_corpus import values
from tests.private_corpus.carriers import SEEN

Truth = frozenset[tuple[int, str]]


@dataclass(frozen=True)
class Item:
    """A row, the defects planted in it, and its place in the set as it was; None for a row that was put in.

    `copy_of` is the place of the row that such a one was made from.
    """

    row: Chat
    origin: int | None
    defects: frozenset[str] = frozenset()
    copy_of: int | None = None


def items_of(rows: Sequence[Row]) -> list[Item]:
    return [Item(row, place) for place, row in enumerate(rows) if isinstance(row, Chat)]


def truth_of(items: Sequence[Item]) -> Truth:
    """(index of the row, reason) of every defect."""
    return frozenset((index, defect) for index, item in enumerate(items) for defect in item.defects)


def _changed(
    items: Sequence[Item],
    rng: Random,
    count: int,
    defect: str,
    change: Callable[[Chat], Chat | None],
) -> list[Item]:
    """Changes rows until `count` have the defect; a change that does not apply gives None."""
    result = list(items)
    for place in rng.sample(range(len(result)), len(result)):
        item = result[place]
        if count and not item.defects and (row := change(item.row)):
            result[place] = replace(item, row=row, defects=frozenset({defect}))
            count -= 1
    return result


def _added(
    items: Sequence[Item],
    rng: Random,
    count: int,
    defect: str,
    change: Callable[[Chat], Chat],
    *,
    on_both: bool = False,
) -> list[Item]:
    """Puts changed copies of rows somewhere behind them."""
    result = list(items)
    sound = [place for place, item in enumerate(items) if not item.defects and item.origin is not None]
    for place in sorted(rng.sample(sound, count), reverse=True):
        item = result[place]
        copy = replace(change(item.row), id=f"{item.row.id}-planted")
        result.insert(rng.randint(place + 1, len(result)), Item(copy, None, frozenset({defect}), item.origin))
        if on_both:
            result[place] = replace(item, defects=frozenset({defect}))
    return result


def with_prompt(row: Chat, prompt: str) -> Chat:
    return replace(row, messages=(Message("user", prompt), *row.messages[1:]))


def with_answer(row: Chat, answer: str) -> Chat:
    return replace(row, messages=(*row.messages[:-1], Message("assistant", answer)))


def duplicates(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    return _added(items, rng, count, "exact_duplicate", lambda row: row)


def near_duplicates(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    """Copies with one to three words of the prompt changed, left out or doubled."""
    return _added(
        items, rng, count, "near_duplicate", lambda row: with_prompt(row, few_words_changed(_prompt(row), rng))
    )


def few_words_changed(text: str, rng: Random) -> str:
    """The text with one to three of its words changed; at most a fifth of them, so that it stays the same question."""
    words = text.split(" ")
    for _ in range(min(rng.randint(1, 3), max(1, len(words) // 5))):
        place = rng.randrange(len(words))
        words[place] = rng.choice(
            ("", f"{words[place]} {words[place]}", rng.choice(("really", "please", "actually", "now")))
        )
    return " ".join(word for word in words if word)


def leaks(
    items: Sequence[Item], test: Sequence[Chat], rng: Random, count: int, defect: str, change: Callable[[Chat], Chat]
) -> list[Item]:
    """Changed rows of the test put among those of train."""
    result = list(items)
    for row in rng.sample(list(test), min(count, len(test))):
        item = Item(replace(change(row), id=f"{row.id}-leaked"), None, frozenset({defect}))
        result.insert(rng.randint(0, len(result)), item)
    return result


def same(row: Chat) -> Chat:
    return row


def nearly(rng: Random) -> Callable[[Chat], Chat]:
    """One to three words of the prompt changed."""
    return lambda row: with_prompt(row, few_words_changed(_prompt(row), rng))


def inside(carriers: Sequence[Chat], rng: Random, *, answered: bool) -> Callable[[Chat], Chat]:
    """The prompt, or the prompt with its answer, inside another row's answer: a document that quotes the test."""

    def quoted(row: Chat) -> Chat:
        carrier = rng.choice(carriers)
        return with_answer(
            carrier, f"{carrier.answer} {_prompt(row)} {row.answer if answered else ''} {carrier.answer}"
        )

    return quoted


def empty_answers(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    return _changed(
        items, rng, count, "empty_answer", lambda row: with_answer(row, rng.choice(("", " ", "\n\n", "\t")))
    )


SECRETS = (
    ("email", values.email),
    ("card", values.card),
    ("iban", values.iban),
    ("ip", values.ip),
    ("key", values.key),
)


def secrets(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    """A sentence with private data after the prompt, of every kind in turn."""
    kinds = [*SECRETS, ("password", values.password), ("international_phone", values.international_phone)]
    for carrier, value_of in kinds:
        defect = "private_phone" if carrier == "international_phone" else f"private_{carrier}"

        def told(row: Chat, carrier: str = carrier, value_of: Callable[[Random], str] = value_of) -> Chat:
            return with_prompt(row, f"{_prompt(row)} {rng.choice(SEEN[carrier]).format(value_of(rng))}")

        items = _changed(items, rng, count // len(kinds), defect, told)
    return list(items)


def wrong_language(
    items: Sequence[Item], languages: Sequence[Sequence[str]], rng: Random, count: int, *, side: str
) -> list[Item]:
    """Prompts or answers replaced by one to four sentences of one other language, of 30 characters at least."""

    def foreign(row: Chat) -> Chat:
        sentences = rng.choice(languages)
        text = " ".join(rng.sample(sentences, rng.randint(1, 4)))
        while len(text) < 30:
            text = f"{text} {rng.choice(sentences)}"
        return with_prompt(row, text) if side == "prompt" else with_answer(row, text)

    return _changed(items, rng, count, "other_language", foreign)


def contradictions(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    """Copies with another label, the prompt in other spelling; both rows of such a pair have the defect."""
    labels = sorted({item.row.answer for item in items if item.row.answer.strip()})

    def contradicted(row: Chat) -> Chat:
        prompt = rng.choice((_prompt(row), _prompt(row).lower(), _prompt(row).rstrip("?.!"), f" {_prompt(row)}"))
        return with_answer(with_prompt(row, prompt), rng.choice([label for label in labels if label != row.answer]))

    return _added(items, rng, count, "contradictory_answer", contradicted, on_both=True)


DAMAGE = (
    lambda text: text.encode().decode("cp1252"),
    lambda text: text.encode().decode("latin-1"),
    lambda text: text.encode().decode("cp1252").encode().decode("cp1252"),
    lambda text: text.encode().decode("mac_roman"),
    lambda text: text.encode().decode("cp437"),
)


def encoding_damage(items: Sequence[Item], rng: Random, count: int) -> list[Item]:
    """Prompts with typographic marks or accents, read in a wrong encoding once or twice."""

    def damaged(row: Chat) -> Chat | None:
        prompt = _prompt(row).replace("'", "’") + rng.choice(
            (" – merci, à bientôt!", " (Café Müller)", " It’s 20 €.", "")
        )
        try:
            text = rng.choice(DAMAGE)(prompt)
        except UnicodeError:  # this encoding has no character for one of the bytes
            return None
        return with_prompt(row, text) if text != prompt else None

    return _changed(items, rng, count, "encoding_damage", damaged)


def words_of(row: Chat) -> int:
    """Of the prompt."""
    return len(_prompt(row).split())


def _prompt(row: Chat) -> str:
    return row.messages[0].content
