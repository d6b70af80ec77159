"""Pieces of text → token ids and the characters at which they begin, for many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerFast

from burnish.core.errors import ModelError
from burnish.core.panics import as_model_error


class Piece(NamedTuple):
    """A part of a page: text, or one special token.

    `start` is the character of the page at which it begins. In `literal` text the names of special tokens are text;
    `places` are then the characters of the page that its own stand for, where these differ.
    """

    start: int
    text: str = ""
    literal: bool = False
    places: Sequence[int] = ()
    token: int | None = None


class Cut(NamedTuple):
    """A page as T tokens: ids, and the character at which each begins. Tokens stand in the order of the text."""

    ids_T: list[int]
    starts_T: list[int]


def tokenise(tokenizer: PreTrainedTokenizerFast, pages: Sequence[Sequence[Piece]]) -> list[Cut]:
    """Cuts all pages at once, which uses all cores; each as if it came alone. Nothing is put before or after them."""
    texts = [piece for page in pages for piece in page if piece.token is None]
    parsed = _encoded(tokenizer, [piece.text for piece in texts if not piece.literal], literal=False)
    literal = _encoded(tokenizer, [piece.text for piece in texts if piece.literal], literal=True)
    return [_joined(page, parsed, literal) for page in pages]


def _joined(page: Sequence[Piece], parsed: Iterator[Cut], literal: Iterator[Cut]) -> Cut:
    """Takes as many cut texts as the page has pieces."""
    whole = Cut([], [])
    for piece in page:
        if piece.token is not None:
            whole.ids_T.append(piece.token)
            whole.starts_T.append(piece.start)
            continue
        ids, starts = next(literal if piece.literal else parsed)
        if piece.places:
            starts = [piece.places[start] for start in starts]
        if piece.start:
            starts = [piece.start + start for start in starts]
        whole.ids_T.extend(ids)
        whole.starts_T.extend(starts)
    return whole


def _encoded(tokenizer: PreTrainedTokenizerFast, texts: list[str], *, literal: bool) -> Iterator[Cut]:
    if not texts:
        return iter(())
    # The library's own call, without the dictionaries of transformers: those take a quarter of the time.
    cutter = tokenizer.backend_tokenizer
    cutter.no_truncation()
    cutter.no_padding()
    cutter.encode_special_tokens = literal
    with as_model_error(_bad_tokenizer):
        encoded = cutter.encode_batch(texts, add_special_tokens=False)
    return (Cut(one.ids, [start for start, _ in one.offsets]) for one in encoded)


def _bad_tokenizer(error: BaseException) -> ModelError:
    return ModelError(
        "The model's tokenizer fails on a text.",
        where="tokenizer.json, its patterns and rules",
        seen=str(error).strip()[:200],
        next_move="copy tokenizer.json of the model again, or use another model",
    )
