"""Pieces of text → token ids and the characters at which they begin, for many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from transformers import PreTrainedTokenizerFast


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
    encoded = tokenizer(
        texts,
        add_special_tokens=False,
        split_special_tokens=literal,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,  # a row that is longer than the context is dealt with by whoever asked
    )
    offsets = encoded["offset_mapping"]
    return (Cut(ids, [start for start, _ in spans]) for ids, spans in zip(encoded["input_ids"], offsets, strict=True))
