"""A conversation as its chat template writes it: the text, what of it is learnt, and where each message ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain

from burnish.core.errors import DataError
from burnish.core.records import Tools
from burnish.render.special import SpecialNames
from burnish.render.tokens import Piece
from burnish.render.tools import Shown, mapped, strings


@dataclass(frozen=True)
class Page:
    """One sequence before it is cut into tokens. `learnt` are the messages of which something is, with the characters
    that are; `left_out` counts those whose answer serving would not show so. `ends` works out where the messages end.
    """

    pieces: tuple[Piece, ...]
    learnt: tuple[tuple[int, range], ...] = ()
    left_out: int = 0
    ends: Callable[[], list[int]] = list


@dataclass(frozen=True)
class Talk:
    """A conversation with the template that writes it. `write` takes messages, tools and whether an answer follows.

    `messages` and `tools` hold no name of a special token: where one stood, there is a character of `hidden`, which
    says what it stands for. Each beginning of the conversation is written once.
    """

    messages: Sequence[Shown]
    tools: Tools
    hidden: dict[str, str]
    write: Callable[[Sequence[Shown], Tools, bool], str]
    _written: dict[tuple[int, bool], str] = field(default_factory=dict)

    def text(self, count: int, *, answer_follows: bool = False) -> str:
        """The first `count` messages. Raises DataError: the template refuses them."""
        key = (count, answer_follows)
        if key not in self._written:
            self._written[key] = self.write(self.messages[:count], self.tools, answer_follows)
        return self._written[key]


def write_page(talk: Talk, answers: Iterable[int], stops: Sequence[str], special: SpecialNames) -> Page:
    """The whole conversation, of which the messages at `answers` are learnt up to and with one of `stops`.

    Raises DataError: the template refuses the conversation, or the beginning of it that an answer follows.
    """
    text = talk.text(len(talk.messages))
    found = [(index, _answer(talk, index, text, stops)) for index in answers]
    learnt = tuple((index, characters) for index, characters in found if characters)
    return Page(_pieces(text, talk.hidden, special), learnt, len(found) - len(learnt), partial(_ends, talk, text))


def write_prompt(talk: Talk, special: SpecialNames) -> Page:
    """The conversation and the beginning of the answer: nothing is learnt. Raises DataError as `write_page` does."""
    text = talk.text(len(talk.messages), answer_follows=True)
    return Page(_pieces(text, talk.hidden, special), ends=partial(_ends, talk, text))


def hide_special(messages: list[Shown], tools: Tools, names: SpecialNames) -> tuple[list[Shown], Tools, dict[str, str]]:
    """Puts an unused character in the place of each special token's text that a message or a tool holds.

    Returns messages and tools without such text, and what each of those characters stands for.
    """
    texts = [text for part in chain(messages, tools) for text in strings(part)]
    found = sorted(set().union(*map(names.found_in, texts)))
    if not found:
        return messages, tools, {}
    used = {character for text in texts for character in text}
    free = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in used)
    hidden = dict(zip(free, sorted(found, key=len, reverse=True), strict=False))

    def masked(text: str) -> str:
        for character, name in hidden.items():
            text = text.replace(name, character)
        return text

    shown_masked = [{**mapped(message, masked), "role": message["role"]} for message in messages]
    return shown_masked, tuple(mapped(tool, masked) for tool in tools), hidden


def _answer(talk: Talk, index: int, text: str, stops: Sequence[str]) -> range:
    """The characters of `text` that answer the generation prompt of message `index`, up to and with the token that ends
    the turn. Empty where the template wrote this turn or what stands before it otherwise than for serving."""
    before, turn = talk.text(index, answer_follows=True), talk.text(index + 1)
    if not turn.startswith(before):
        return range(0)
    found = [(turn.find(name, len(before)), name) for name in stops]
    end = min((at + len(name) for at, name in found if at >= 0), default=len(turn))
    return range(len(before), end) if text.startswith(turn[:end]) else range(0)


def _ends(talk: Talk, text: str) -> list[int]:
    """Where each message's text ends: as far as the conversation up to it is how the whole one begins."""
    ends = []
    for count in range(1, len(talk.messages)):
        try:
            part = talk.text(count)
        except DataError:  # some templates refuse a conversation that ends on the system message
            part = ""
        ends.append(len(part) if text.startswith(part) else _shared(part, text))
    return list(accumulate([*ends, len(text)], max))


def _shared(first: str, second: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


def _pieces(text: str, hidden: dict[str, str], special: SpecialNames) -> tuple[Piece, ...]:
    """What to tokenise. Where a person typed names of special tokens, only those that the template wrote are tokens."""
    if not hidden:
        return (Piece(0, text),)
    pieces: list[Piece] = []
    at = 0
    for part in special.split(text):
        if part in special.ids:
            pieces.append(Piece(at, token=special.ids[part]))
        else:
            written = [hidden.get(character, character) for character in part]
            places = [place for place, name in enumerate(written) for _ in name]
            pieces.append(Piece(at, "".join(written), literal=True, places=places))
        at += len(part)
    return tuple(pieces)
