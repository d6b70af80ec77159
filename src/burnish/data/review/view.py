"""What the page shows, worked out before the template."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from burnish.core.errors import BurnishError
from burnish.core.records import Row, row_from_json
from burnish.data.card.limits import meaning_of
from burnish.data.cleaning.features import answer_side
from burnish.data.cleaning.places import MASKED
from burnish.data.review.events import Event, Events
from burnish.data.review.index import PartIndex, extremes, largest_classes
from burnish.data.review.plots import answer_lines
from burnish.data.review.rows import LONGEST_NOTE, Doubts, RowView, row_view
from burnish.data.review.words import MARGIN, Hide, difference, hidden_row, shown, visible
from burnish.data.take import content_id

SAMPLES: Mapping[str, int] = {"train": 12, "dev": 6, "test": 6}
MOST_EXTREMES = 5
MOST_OUTLIERS = 8
MOST_CLUSTERS, CLUSTER_ROWS = 10, 4
MOST_LABELS, MOST_ANSWERS = 200, 10
MOST_REASONS = 60
TOKEN_ROWS, LONGEST_TOKEN_ROW = 4, 4_000  # characters
FIRST_TOKENS, LAST_TOKENS = 300, 600
LONGEST_BODY = 600
DEEPEST, MOST_PARTS, LONGEST_KEY = 6, 24, 80  # of a row that was not understood
UNSAID = ("id", "source", "group")  # what Burnish added
LONGEST_COMPARED = 20_000
OUTLYING = ("length_outlier", "other_language")


@dataclass(frozen=True)
class Token:
    """A token as the model reads it, or several that only together are a character."""

    text: str
    learnt: bool
    special: bool


@dataclass(frozen=True)
class TokenView:
    """A row as tokens; `summary` counts them."""

    title: str
    summary: str
    tokens: tuple[Token, ...]


ShowTokens: TypeAlias = Callable[[Row], Sequence[TokenView]]


@dataclass(frozen=True)
class Group:
    """Rows under one heading; `total` there are, those in `rows` are shown."""

    title: str
    total: int
    rows: tuple[RowView, ...]


@dataclass(frozen=True)
class Example:
    """One record: where, what was seen, and the row or the text before and after."""

    source: str
    detail: str
    row: RowView | None = None
    body: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Reason:
    """One code with its meaning and a few records."""

    code: str
    meaning: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class ReviewData:
    """All that the views are made of: the parts as arrays, what happened to rows, and what hides private data."""

    parts: tuple[PartIndex, ...]
    events: Mapping[str, Events]  # dropped, changed, flagged
    doubts: Doubts
    hide: Hide

    def views(self, part: PartIndex, numbers: Iterable[int]) -> tuple[RowView, ...]:
        """Rows of one part as the page shows them."""
        return tuple(row_view(row, part.part, self.doubts, self.hide) for row in part.rows(numbers))

    def views_of(self, ids: Sequence[str]) -> dict[str, RowView]:
        """id → view, of the ids that stand in some part."""
        found: dict[str, RowView] = {}
        for part in self.parts:
            numbers = part.numbers_of(ids)
            found |= dict(zip(numbers, self.views(part, numbers.values()), strict=True))
        return found


def samples(data: ReviewData) -> list[Group]:
    """Rows of each part, drawn by the seed."""
    return [
        Group(part.part, len(part), data.views(part, part.sample(SAMPLES.get(part.part, 6)))) for part in data.parts
    ]


def longest_and_shortest(data: ReviewData, *, labels: bool) -> list[Group]:
    """The extremes of all parts by length in characters; of answers too, where they are no labels."""
    sides = {"rows": "chars_N", "answers": "answer_chars_N"}
    groups = []
    for name in ("rows",) if labels else sides:
        lengths = [part.chars_N if name == "rows" else part.answer_chars_N for part in data.parts]
        for title, place in (("Longest", 1), ("Shortest", 0)):
            found = [
                (int(values[n]), index, n)
                for index, values in enumerate(lengths)
                for n in extremes(values, MOST_EXTREMES)[place]
            ]
            found.sort(reverse=bool(place))
            rows = [
                replace(data.views(data.parts[index], [n])[0], note=f"{length:,} characters")
                for length, index, n in found[:MOST_EXTREMES]
            ]
            groups.append(Group(f"{title} {name}", sum(map(len, data.parts)), tuple(rows)))
    return groups


def outliers(data: ReviewData) -> Group:
    """Rows that the cleaning found unlike all the others."""
    flagged = data.events["flagged"]
    examples = [event for reason in OUTLYING for event in flagged.examples(reason)][:MOST_OUTLIERS]
    views = data.views_of([str(event["id"]) for event in examples])
    rows = [
        replace(views[event["id"]], note=shown(str(event["detail"]), data.hide, LONGEST_NOTE))
        for event in examples
        if event["id"] in views
    ]
    return Group("Outliers", sum(flagged.counts[reason] for reason in OUTLYING), tuple(rows))


def most_doubtful(data: ReviewData) -> Group:
    """The rows with the most different doubts, where some have several."""
    several = {row_id: reasons for row_id, reasons in data.doubts.reasons.items() if len(reasons) > 1}
    ids = sorted(several, key=lambda row_id: (-len(several[row_id]), row_id))[:MOST_OUTLIERS]
    views = data.views_of(ids)
    return Group("Rows with several doubts", len(several), tuple(views[one] for one in ids if one in views))


def clusters(data: ReviewData) -> tuple[int, list[Group]]:
    """How many clusters of several rows there are, and the largest ones."""
    found = [
        (size, place, numbers)
        for place, part in enumerate(data.parts)
        for size, numbers in largest_classes(part.group_N, MOST_CLUSTERS, CLUSTER_ROWS)
    ]
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    count = sum(int(np.count_nonzero(np.unique(part.group_N, return_counts=True)[1] > 1)) for part in data.parts)
    return count, [
        Group(f"{size:,} rows in {data.parts[place].part}", size, data.views(data.parts[place], numbers))
        for size, place, numbers in found[:MOST_CLUSTERS]
    ]


def answers(data: ReviewData, *, labels: bool) -> dict[str, Any]:
    """How often each label stands in each part; of other answers the commonest, where any stands twice."""
    distinct, lines = answer_lines(data.parts, MOST_LABELS if labels else MOST_ANSWERS)
    shown_lines = []
    for line in lines:
        if not labels and sum(line.counts) < 2:
            continue
        (row,) = data.parts[line.part].rows([line.row])
        text = shown(answer_side(row).strip(), data.hide, 120)
        shown_lines.append({"text": text, "counts": line.counts, "total": sum(line.counts), "width": line.width})
    return {"distinct": distinct, "lines": shown_lines, "parts": [part.part for part in data.parts]}


def reasons(data: ReviewData, file: str) -> list[Reason]:
    """What stands in one of the three files, by reason, with examples."""
    events = data.events[file]
    make = {"dropped": _dropped, "changed": _changed, "flagged": _flagged}[file]
    found = []
    for reason in events.reasons[:MOST_REASONS]:
        # outliers have a section of their own
        drawn = [] if file == "flagged" and reason in OUTLYING else events.examples(reason)
        found.append(
            Reason(visible(reason), visible(meaning_of(reason)), events.counts[reason], tuple(make(data, drawn)))
        )
    return found


def _dropped(data: ReviewData, events: Sequence[Event]) -> list[Example]:
    examples = []
    for event in events:
        row = dropped_row(event)
        if row is not None:
            examples.append(replace(_example(data, event), row=row_view(row, "dropped", data.doubts, data.hide)))
        else:
            body = shown(_as_text(event.get("row"), data.hide), data.hide, LONGEST_BODY)
            examples.append(_example(data, event, body=body))
    return examples


def dropped_row(event: Event) -> Row | None:
    """The row of a record, with its name; None where it was dropped before it was understood."""
    value = event.get("row")
    if not isinstance(value, dict) or not {*UNSAID} <= value.keys():
        return None
    try:
        row = row_from_json({**value, "source": event["source"]})
        return replace(row, id=row.id or content_id(row))
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _changed(data: ReviewData, events: Sequence[Event]) -> list[Example]:
    examples = []
    for event in events:
        texts = [str(event.get(side, ""))[: LONGEST_COMPARED + MARGIN] for side in ("before", "after")]
        # A repair may have joined what was private and could not be seen as such before.
        private = any(data.hide(text) != text for text in texts)
        before, after = (
            visible(text[:LONGEST_BODY])
            for text in difference(texts[0][:LONGEST_COMPARED], texts[1][:LONGEST_COMPARED])
        )
        if private or event["reason"] == MASKED:
            before, after = "(not shown: private data)", "(not shown: private data)"
        examples.append(_example(data, event, before=before, after=after, detail=str(event.get("path", ""))))
    return examples


def _flagged(data: ReviewData, events: Sequence[Event]) -> list[Example]:
    views = data.views_of([str(event.get("id", "")) for event in events])
    return [replace(_example(data, event), row=views.get(str(event.get("id", "")))) for event in events]


def _example(
    data: ReviewData, event: Event, *, detail: str = "", body: str = "", before: str = "", after: str = ""
) -> Example:
    seen = detail or str(event.get("detail", ""))
    source, seen = (shown(text, data.hide, LONGEST_NOTE) for text in (str(event["source"]), seen))
    return Example(source, seen, None, body, before, after)


def _as_text(value: Any, hide: Hide) -> str:
    """What a dropped row held, as JSON without private data; text alone where it was nothing else."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):  # a row that UTF-8 cannot hold is stored so
            value = json.loads(value)
    value = _small(value, hide)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False, indent=1)


def _small(value: Any, hide: Hide, depth: int = 0) -> Any:
    """A JSON value with the beginning of its texts and lists, none of it private."""
    if isinstance(value, str):
        return hide(value[: LONGEST_BODY + MARGIN])[:LONGEST_BODY]
    if depth == DEEPEST and isinstance(value, dict | list):
        return "…"
    if isinstance(value, list):
        return [_small(inner, hide, depth + 1) for inner in value[:MOST_PARTS]]
    if isinstance(value, dict):
        parts = itertools.islice(value.items(), MOST_PARTS)
        return {key[:LONGEST_KEY]: _small(inner, hide, depth + 1) for key, inner in parts if key not in UNSAID}
    return value


def token_rows(data: ReviewData, show: ShowTokens | None) -> list[dict[str, Any]]:
    """A few rows of train as tokens; without their private data, so a mask stands where the model reads the rest."""
    train = data.parts[0]
    numbers = [n for n in train.sample(200) if train.chars_N[n] <= LONGEST_TOKEN_ROW] or train.sample(TOKEN_ROWS)
    found: list[dict[str, Any]] = []
    drawn = (row for row in train.rows(numbers) if row.id not in data.doubts.private)
    for row in itertools.islice(drawn, TOKEN_ROWS) if show else ():
        try:
            views = [_cut(view) for view in show(hidden_row(row, data.hide))] if show else []
        except BurnishError as error:
            found.append({"name": f"#{visible(row.id)}", "views": [], "error": visible(str(error.what))})
            continue
        found.append({"name": f"#{visible(row.id)}", "views": views, "error": ""})
    return found


def _cut(view: TokenView) -> TokenView:
    left_out = len(view.tokens) - FIRST_TOKENS - LAST_TOKENS
    tokens = view.tokens
    if left_out > 0:
        note = Token(f" … {left_out} tokens are not shown … ", learnt=False, special=True)
        tokens = (*tokens[:FIRST_TOKENS], note, *tokens[-LAST_TOKENS:])
    return replace(view, tokens=tuple(replace(token, text=visible(token.text)) for token in tokens))
