"""review.html and review.csv, from the files of a prepared folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from burnish.core.files import write_text
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, limits, read_card
from burnish.data.private.find import NameFinder
from burnish.data.private.settings import PrivateSettings
from burnish.data.review.events import Events, read_events
from burnish.data.review.index import read_part
from burnish.data.review.marks import Marks, read_marks
from burnish.data.review.plots import histograms
from burnish.data.review.rows import Doubts
from burnish.data.review.table import MOST_LINES, LeftOut, write_table
from burnish.data.review.view import (
    Group,
    ReviewData,
    ShowTokens,
    answers,
    clusters,
    dropped_row,
    longest_and_shortest,
    most_doubtful,
    outliers,
    reasons,
    samples,
    token_rows,
)
from burnish.data.review.words import Hide, hider, shown

PAGE, TABLE = "review.html", "review.csv"
LONGEST_SENTENCE = 600
# What a doubt took away, a person may bring back; what is broken, private or in the test stays out.
DOUBTS = frozenset(
    ("near_duplicate", "boilerplate_answer", "refusal", "truncated_answer", "other_language", "length_outlier",
     "lost_characters", "echoed_prompt", "contradictory_answer", "review_drop")
)  # fmt: skip


@dataclass(frozen=True)
class Review:
    """Where the page and the table are, and how many of all rows stand in the table."""

    page: Path
    table: Path
    rows: int
    of_rows: int


def write_review(
    folder: RunFolder,
    *,
    private: PrivateSettings,
    names: NameFinder | None = None,
    show_tokens: ShowTokens | None = None,
    marks: Marks | None = None,
) -> Review:
    """Writes review.html and review.csv into the run's folder, where doing a stage again leaves them alone.

    `private` and `names` say what private data is: neither file shows any. `marks` are those of earlier tables; what
    stands in the folder's own table counts more.

    Raises BurnishError: a file of the folder is absent or damaged. DataError: the folder's table cannot be read; it is
    left as it is.
    """
    table = folder.path / TABLE
    known = marks or Marks()
    if table.exists():
        known = read_marks(table).over(known)
    card = read_card(folder.data_card)
    data, left_out = _read(folder, card, hider(private, names))
    context = review_context(folder.name, card, data, show_tokens)
    rows = write_table(table, data.parts, left_out, data.doubts, known, data.hide, _names_in(context))
    of_rows = sum(map(len, data.parts)) + len(left_out)
    marked = {"keep": len(known.keep), "drop": len(known.drop)}
    context |= {"table": TABLE, "rows": rows, "of_rows": of_rows, "most_lines": MOST_LINES, "marked": marked}
    write_text(folder.path / PAGE, render_page(context))
    return Review(folder.path / PAGE, table, rows, of_rows)


def _read(folder: RunFolder, card: DataCard, hide: Hide) -> tuple[ReviewData, list[LeftOut]]:
    """Everything, once through each file."""
    events = {name: Events() for name in ("dropped", "changed", "flagged")}
    doubts = Doubts()
    left_out: list[LeftOut] = []
    for event in read_events(folder.dropped):
        events["dropped"].add(event, card.seed)
        if event["reason"] in DOUBTS and len(left_out) < MOST_LINES:
            row = dropped_row(event)
            left_out += [LeftOut(row, event["reason"])] if row else []
    for event in read_events(folder.changed):
        events["changed"].add(event, card.seed)
    for event in read_events(folder.flagged):
        events["flagged"].add(event, card.seed)
        doubts.add(event)
    parts = tuple(read_part(path, card.seed) for path in (folder.train, folder.dev, folder.test))
    return ReviewData(parts, events, doubts, hide), left_out


def review_context(name: str, card: DataCard, data: ReviewData, show_tokens: ShowTokens | None) -> dict[str, Any]:
    """All that the template shows. Every text of the data has gone through `shown`."""
    labels = card.shape.kind == "label"

    def safe(text: object) -> str:
        return shown(str(text), data.hide, LONGEST_SENTENCE)

    count, largest = clusters(data)
    return {
        "name": safe(name),
        "card": card,
        "sizes": [(part.part, len(part), card.parts.get(part.part)) for part in data.parts],
        "dropped_rows": sum(data.events["dropped"].counts.values()),
        "limits": list(map(safe, limits(card))),
        "reasons": {file: reasons(data, file) for file in data.events},
        "labels": labels,
        "answers": answers(data, labels=labels),
        "histograms": histograms(data.parts),
        "extremes": longest_and_shortest(data, labels=labels),
        "outliers": outliers(data),
        "doubtful": most_doubtful(data),
        "clusters": largest,
        "cluster_count": count,
        "samples": samples(data),
        "token_rows": token_rows(data, show_tokens),
        "sources": [[safe(cell) for cell in (one.part, one.file, f"{one.rows:,}", one.format, ", ".join(one.keys))]
                    for one in card.sources],
        "licence": safe(card.licence or "not stated"),
        "licences_found": [(safe(note.where), safe(note.quote)) for note in card.licences_found],
    }  # fmt: skip


def _names_in(context: Mapping[str, Any]) -> list[str]:
    """Ids of all rows on the page."""
    groups: list[Group] = [context["outliers"], context["doubtful"]]
    for several in ("samples", "extremes", "clusters"):
        groups += context[several]
    examples = [example for found in context["reasons"].values() for reason in found for example in reason.examples]
    views = [row for group in groups for row in group.rows] + [one.row for one in examples if one.row]
    return list(dict.fromkeys(view.name.removeprefix("#") for view in views))


def render_page(context: Mapping[str, Any]) -> str:
    """The page, with its style sheet inside. The template escapes everything; the page's own policy forbids scripts,
    images, frames and any connection, and allows one style sheet, by its hash."""
    style = (resources.files("burnish.data.review") / "templates" / "review.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    templates = Environment(
        loader=PackageLoader("burnish.data.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("review.html.j2").render(context, style=Markup(style), style_hash=f"sha256-{digest}")
