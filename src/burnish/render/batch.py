"""Many rows at once: the tokenizer cuts the texts of a batch on all cores. Each row gets what it would get alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from burnish.core.errors import DataError
from burnish.core.records import Chat, Row
from burnish.render.page import Page
from burnish.render.renderer import Rendered, RenderedPair, Renderer, check_distinct, placed
from burnish.render.tokens import Cut, tokenise

MOST_ROWS = 256
MOST_CHARACTERS = 1 << 18  # a token takes some 300 bytes until it is read: about 20 MB a batch
MANY_MESSAGES = 200  # from here on, a look at each answer costs far more than one at the whole
Cutting: TypeAlias = "tuple[tuple[Page, ...], list[Cut]]"
PagesOf: TypeAlias = Callable[[Row], "tuple[Page, ...]"]


class Length(NamedTuple):
    """How long one sequence of a row is, in tokens, and how many of them are learnt."""

    tokens: int
    learnt: int


def render_rows(renderer: Renderer, rows: Iterable[Row]) -> Iterator[Rendered | RenderedPair | DataError]:
    """Each row as `Renderer.row` or `Renderer.pair` gives it, or the error that it raises; in order."""
    for found in _cut_rows(renderer, rows, renderer.pages):
        yield found if isinstance(found, DataError) else _placed(*found)


def measure_rows(
    renderer: Renderer, rows: Iterable[Row], most: int | None = None
) -> Iterator[tuple[Length, ...] | DataError]:
    """The length of each sequence that a row is made of, or the error that rendering it raises; in order.

    Of a talk of very many turns that has more than `most` tokens all count as learnt: nobody learns it as it stands,
    and the template would be rendered once for each answer.
    """

    def pages(row: Row) -> tuple[Page, ...]:
        if most is not None and isinstance(row, Chat) and len(row.messages) > MANY_MESSAGES:
            return _whole_if_longer(renderer, row, most)
        return renderer.pages(row)

    for found in _cut_rows(renderer, rows, pages):
        yield found if isinstance(found, DataError) else tuple(map(_length, *found))


def _whole_if_longer(renderer: Renderer, row: Chat, most: int) -> tuple[Page, ...]:
    page = renderer.whole(row)
    (cut,) = tokenise(renderer.tokenizer, [page.pieces])
    return (
        (replace(page, learnt=((0, range(cut.starts_T[-1] + 1)),)),) if len(cut.ids_T) > most else renderer.pages(row)
    )


def _cut_rows(renderer: Renderer, rows: Iterable[Row], pages: PagesOf) -> Iterator[Cutting | DataError]:
    waiting: list[tuple[Page, ...] | DataError] = []
    characters = 0
    for row in rows:
        waiting.append(_or_error(pages, row))
        characters += _characters(waiting[-1])
        if len(waiting) == MOST_ROWS or characters >= MOST_CHARACTERS:
            yield from _cut(renderer, waiting)
            waiting, characters = [], 0
    yield from _cut(renderer, waiting)


def _or_error(pages: PagesOf, row: Row) -> tuple[Page, ...] | DataError:
    try:
        return pages(row)
    except DataError as error:
        return error


def _characters(pages: tuple[Page, ...] | DataError) -> int:
    return 0 if isinstance(pages, DataError) else sum(len(piece.text) for page in pages for piece in page.pieces)


def _cut(renderer: Renderer, waiting: Sequence[tuple[Page, ...] | DataError]) -> Iterator[Cutting | DataError]:
    pieces = [page.pieces for pages in waiting if not isinstance(pages, DataError) for page in pages]
    cuts = iter(tokenise(renderer.tokenizer, pieces))
    for pages in waiting:
        if isinstance(pages, DataError):
            yield pages
            continue
        own = [next(cuts) for _ in pages]
        try:
            check_distinct(own)
        except DataError as error:
            yield error
        else:
            yield pages, own


def _placed(pages: tuple[Page, ...], cuts: Sequence[Cut]) -> Rendered | RenderedPair:
    rendered = [placed(page, cut) for page, cut in zip(pages, cuts, strict=True)]
    return rendered[0] if len(rendered) == 1 else RenderedPair(*rendered)


def _length(page: Page, cut: Cut) -> Length:
    starts = cut.starts_T
    learnt = (bisect_left(starts, part.stop) - bisect_left(starts, part.start) for _, part in page.learnt)
    return Length(len(starts), sum(learnt))
