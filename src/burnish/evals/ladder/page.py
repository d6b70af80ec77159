"""The ladder for people: ladder.md, ladder.svg and ladder.html, which needs no network and no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup, escape

from burnish.core.files import write_json, write_text
from burnish.evals.ladder.picture import ladder_picture
from burnish.evals.ladder.records import Ladder, Rung
from burnish.evals.ladder.rule import RULE
from burnish.evals.verdict_text import arm_name, escaped
from burnish.evals.wording import difference_text, metric_name, visible

STYLE = (
    "body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #8884}"
    "svg{width:100%;height:auto}div{overflow-x:auto}body{overflow-wrap:anywhere}"
)
HEAD = ("rung", "gain", "interval", "task", "forgotten, nats a token", "interval", "memory", "worst suite", "updates",
        "training")  # fmt: skip


def write_ladder(folder: Path, ladder: Ladder) -> None:
    """Writes ladder.json, ladder.svg, ladder.md and ladder.html."""
    write_json(folder / "ladder.json", ladder.to_json())
    write_text(folder / "ladder.svg", str(ladder_picture(ladder)) + "\n")
    write_text(folder / "ladder.md", ladder_markdown(ladder))
    write_text(folder / "ladder.html", ladder_html(ladder))


def table_rows(ladder: Ladder) -> list[list[str]]:
    """A row a rung, under `HEAD`."""
    return [_row(ladder, rung) for rung in ladder.rungs]


def _row(ladder: Ladder, rung: Rung) -> list[str]:
    def gain(value: float, unit: bool = False) -> str:
        return difference_text(ladder.metric, value, unit=unit)

    def forgotten(value: float) -> str:
        return difference_text("loss", value, unit=False)

    worst = f"{rung.worst.suite}: {rung.worst.used:.2f} of its margin" if rung.worst else "–"
    name = rung.name + (" ★" if rung.name == ladder.recommended else "") + (" ◦" if rung.front else "")
    return [name, gain(rung.gain, True), f"{gain(rung.low)} to {gain(rung.high)}", rung.task,
            forgotten(rung.forgetting), f"{forgotten(rung.least)} to {forgotten(rung.most)}", rung.memory, worst,
            str(rung.updates), f"{rung.seconds:.0f} s"]  # fmt: skip


def _notes(ladder: Ladder) -> list[str]:
    notes = [
        f"★ recommended, ◦ on the front: no other rung gains as much and forgets as little. Gain: in "
        f"{metric_name(ladder.metric)} over {arm_name(ladder.opponent)}; its intervals are of {ladder.confidence}, for "
        f"{len(ladder.rungs)} specialists tried on one test. Forgotten: rise of the loss on general text over the "
        f"base's; bounds of one-sided 5 % each. The limit is {ladder.limit:g} nats a token.",
        f"The rule: {RULE}",
    ]
    return notes + [f"{one.name} was left out: {one.reason}" for one in ladder.left_out]


def ladder_markdown(ladder: Ladder) -> str:
    """ladder.md."""
    rows = [HEAD, ["---"] * len(HEAD), *([*map(escaped, row)] for row in table_rows(ladder))]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    parts = ["# The ladder", f"**{escaped(ladder.sentence)}**", "![Task gain against forgetting](ladder.svg)", table]
    return "\n\n".join([*parts, *map(escaped, _notes(ladder))]) + "\n"


def ladder_html(ladder: Ladder) -> str:
    """ladder.html: everything in one file. Its policy allows its style sheets and nothing else."""
    picture = ladder_picture(ladder)
    hashes = " ".join(f"'sha256-{_digest(style)}'" for style in (STYLE, _style_of(picture)))
    policy = f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'"
    table = _html_rows("th", [HEAD]) + _html_rows("td", table_rows(ladder))
    notes = Markup("").join(Markup("<p>{}</p>").format(visible(note)) for note in _notes(ladder))
    return str(
        Markup(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta http-equiv="Content-Security-Policy" content="{}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>The ladder</title><style>'
        ).format(policy)
        + Markup(STYLE)
        + Markup("</style></head><body><h1>The ladder</h1><p><b>{}</b></p>").format(visible(ladder.sentence))
        + picture
        + Markup("<div><table>{}</table></div>{}</body></html>\n").format(table, notes)
    )


def _html_rows(cell: str, rows: Sequence[Sequence[str]]) -> Markup:
    opening, closing = Markup(f"<{cell}>"), Markup(f"</{cell}>")
    lines = (Markup("").join(opening + escape(visible(text)) + closing for text in row) for row in rows)
    return Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)


def _style_of(picture: Markup) -> str:
    return str(picture).split("<style>", 1)[1].split("</style>", 1)[0]


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
