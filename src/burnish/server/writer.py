"""Tokens → text, as they come: characters spread over several tokens, stop strings that begin in one token and end in
another, and which tokens belong to which piece of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokenizers.decoders import DecodeStream

from burnish.generate.request import Event
from burnish.render.renderer import Renderer

Finish: TypeAlias = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True)
class Piece:
    """A part of an answer that may be sent: text, the tokens that it begins with, and at the end why it ended."""

    text: str = ""
    tokens: tuple[Event, ...] = ()
    starts: tuple[int, ...] = ()  # the character of the answer at which each token begins
    finish: Finish | None = None


class Writer:
    """One answer. What could be the beginning of a stop string is held back until it is known not to be."""

    def __init__(self, renderer: Renderer, stops: Sequence[str] = ()) -> None:
        self._renderer, self._stops = renderer, tuple(stops)
        self._decode = DecodeStream(skip_special_tokens=True)
        self._held: list[tuple[int, Event]] = []  # tokens not yet sent, with where they begin
        self._ids: list[int] = []
        self._text = ""
        self._sent = 0  # characters

    @property
    def count(self) -> int:
        """Tokens of the answer, the stop token not counted."""
        return len(self._ids)

    def take(self, event: Event) -> Piece:
        """What a further token lets out. The last piece has a `finish`; after it no token may come."""
        if not event.stopped:
            self._held.append((len(self._text), event))
            self._ids.append(event.token)
            self._text += self._decode.step(self._renderer.tokenizer.backend_tokenizer, event.token) or ""
        if event.finished:
            self._text = _completed(self._text, self._renderer.decode(self._ids))
        at = min((found for stop in self._stops if (found := self._text.find(stop, self._sent)) >= 0), default=-1)
        if at >= 0:
            return self._let_out(at, "stop")
        if event.finished:
            return self._let_out(len(self._text), "stop" if event.stopped else "length")
        return self._let_out(len(self._text) - self._begun(), None)

    def _begun(self) -> int:
        """How many characters at the end may begin a stop string."""
        unsent = len(self._text) - self._sent
        return max((_overlap(self._text, stop, unsent) for stop in self._stops), default=0)

    def _let_out(self, end: int, finish: Finish | None) -> Piece:
        text = self._text[self._sent : end]
        whole = finish is not None and end == len(self._text)
        out = [one for one in self._held if one[0] < end or whole]
        self._held = self._held[len(out) :]
        self._sent = end
        return Piece(text, tuple(event for _, event in out), tuple(start for start, _ in out), finish)


def _overlap(text: str, stop: str, most: int) -> int:
    """The longest end of the text that is a beginning of the stop string."""
    longest = min(len(stop) - 1, most)
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)


def _completed(text: str, whole: str) -> str:
    """The text with what the stream held back: half a character at the very end."""
    return whole if whole.startswith(text) else text
