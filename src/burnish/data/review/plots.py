"""What the page draws: lengths as bars, counts as lines. Numbers only; the template writes the SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from burnish.data.review.index import Numbers, PartIndex

MOST_BARS = 28
HALF_OCTAVE, OCTAVE = 2.0, 1.0  # bars to a doubling of the length


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram; x, width, heights and y are percentages. `title` says it in words."""

    x: float
    width: float
    height: float
    mark: float | None
    title: str
    label: str


@dataclass(frozen=True)
class Histogram:
    """Lengths of train as bars, and the share of test rows in each as a mark."""

    title: str
    bars: tuple[Bar, ...]
    median: int


def length_histogram(title: str, train_N: Numbers, test_N: Numbers) -> Histogram | None:
    """Shares of rows by length in characters, on a scale of doublings; None where train has no such text."""
    train_N, test_N = train_N[train_N > 0], test_N[test_N > 0]
    if not len(train_N):
        return None
    both = np.concatenate([train_N, test_N])
    steps = HALF_OCTAVE if np.log2(both.max() / both.min()) * HALF_OCTAVE < MOST_BARS else OCTAVE
    first = int(np.floor(np.log2(both.min()) * steps))
    last = int(np.floor(np.log2(both.max()) * steps))
    edges = np.ceil(2 ** (np.arange(first, last + 2) / steps)).astype(np.int64)
    edges[-1] = max(edges[-1], both.max() + 1)
    edges = np.unique(edges)
    counts, test_counts = (np.histogram(lengths, edges)[0] for lengths in (train_N, test_N))
    bars = _bars(edges.tolist(), counts.tolist(), test_counts.tolist())
    return Histogram(title, bars, int(np.median(train_N)))


def _bars(edges: Sequence[int], counts: Sequence[int], test_counts: Sequence[int]) -> tuple[Bar, ...]:
    shares, test_shares = ([count / max(1, sum(all_)) for count in all_] for all_ in (counts, test_counts))
    highest = max(*shares, *test_shares) if len(shares) + len(test_shares) > 1 else 1.0
    width = 100 / len(counts)
    every = max(1, len(counts) // 7)
    return tuple(
        Bar(
            x=place * width,
            width=width,
            height=100 * share / highest,
            mark=100 - 100 * test_share / highest if any(test_counts) else None,
            title=f"{edges[place]:,} to {edges[place + 1] - 1:,} characters: {counts[place]:,} rows of train "
            f"({share:.1%}), {test_counts[place]:,} of test ({test_share:.1%})",
            label=f"{edges[place]:,}" if place % every == 0 else "",
        )
        for place, (share, test_share) in enumerate(zip(shares, test_shares, strict=True))
    )


def histograms(parts: Sequence[PartIndex]) -> list[Histogram]:
    """Lengths of what is asked and of what is learnt."""
    train, test = (next(part for part in parts if part.part == name) for name in ("train", "test"))
    drawn = (
        length_histogram("What is asked", train.prompt_chars_N, test.prompt_chars_N),
        length_histogram("What is learnt", train.answer_chars_N, test.answer_chars_N),
    )
    return [one for one in drawn if one]


@dataclass(frozen=True)
class AnswerLine:
    """How often one answer stands in each part. `row` of part number `part` holds its text; `width` is in per cent of
    the commonest answer."""

    part: int
    row: int
    counts: tuple[int, ...]
    width: float


def answer_lines(parts: Sequence[PartIndex], most: int) -> tuple[int, list[AnswerLine]]:
    """How many different answers there are, and the commonest of them."""
    said = np.concatenate([part.answer_N for part in parts])
    answers, first, inverse = np.unique(said, return_index=True, return_inverse=True)
    counts = np.zeros((len(answers), len(parts)), np.int64)
    sizes = [len(part) for part in parts]
    np.add.at(counts, (inverse, np.repeat(np.arange(len(parts)), sizes)), 1)
    total, ends = counts.sum(1), np.cumsum(sizes)
    lines = []
    for place in np.argsort(-total, kind="stable")[:most].tolist():
        part = int(np.searchsorted(ends, first[place], side="right"))
        row = int(first[place] - (ends[part] - sizes[part]))
        width = 100 * float(total[place]) / float(total.max())
        lines.append(AnswerLine(part, row, tuple(counts[place].tolist()), width))
    return len(answers), lines
