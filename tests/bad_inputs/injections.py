"""Texts that want to be a script, a formula, a command of the terminal or a line of a log, in every place that shows
texts of others: the review, the report, both Markdown pages, the table, the terminal, the log of the server."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

from burnish.cli.main import main
from burnish.core.files import read_json, read_jsonl, write_json, write_jsonl
from burnish.core.run_folder import RunFolder
from burnish.evals.report import write_report
from burnish.evals.verdict_text import write_verdict
from burnish.server.access_log import access_entry, as_line
from tests.bad_inputs.case import Case, Made, Survived, good_lines, good_model, line, run_of

PAGES = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<svg/onload=alert(1)>",
    "<body onload=alert(1)>", "<iframe src=javascript:alert(1)>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>", "<embed src=//evil.example>", "<math><mi xlink:href=javascript:alert(1)>x",
    "<a href=javascript:alert(1)>x</a>", "<form action=//evil.example><input name=x>",
    "<meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=//evil.example>", "<base href=//evil.example>", "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>", "<input autofocus onfocus=alert(1)>", "<marquee onstart=alert(1)>",
    "\" onmouseover=\"alert(1)", "' onmouseover='alert(1)", "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "`onmouseover=alert(1)`", "{{ 7*7 }}{% raw %}", "${alert(1)}", "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "<scr\0ipt>alert(1)</scr\0ipt>", "<<script>alert(1)//<</script>",
    "<script\n>alert(1)</script\n>", "\u2028<script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "[x](javascript:alert(1))", "![x](//evil.example/x.png)", "<!--", "<![CDATA[", "<plaintext>",
)  # fmt: skip
TABLES = ("=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-1+1|cmd", "@SUM(1+1)*cmd|' /C calc'!A0", "\t=1+1", "\r=1+1",
          "=HYPERLINK(\"http://evil.example\",\"x\")", "\"\n=1+1")  # fmt: skip
TERMINALS = ("\x1b]0;owned\x07", "\x1b[2J\x1b[H", "\x9b31m", "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\", "a\rb",
             "\u202eevil", "\x08\x08\x08", "[red]x[/red][link=http://evil.example]y[/link]")  # fmt: skip
PAYLOADS: Sequence[str] = (*PAGES, *TABLES, *TERMINALS)
FORBIDDEN = {"img", "iframe", "object", "embed", "math", "form", "link", "base", "video", "source", "marquee",
             "template", "textarea", "plaintext"}  # fmt: skip
REACHING = {"src", "href", "action", "data", "srcdoc", "xlink:href"}
MARKUP = re.compile(r"(?<!\\)<[a-z/!]", re.IGNORECASE)
LINK = re.compile(r"(?<!\\)\]\((\w*:?//|javascript)", re.IGNORECASE)
QUOTED = (re.compile(r"(?s)(`{3,}).*?\1"), re.compile(r"`[^`\n]*`"))
FORMULA = re.compile(r"^\s*[=+\-@]")


def made(payload: str, folder: Path, rng: Random) -> Made:
    """Rows, a column and answers of a run that hold the payload."""
    rows = [json.loads(one) for one in good_lines()]
    for at in rng.sample(range(len(rows)), 8):
        rows[at] = {"prompt": f"{payload} {at}", "completion": payload if at % 2 else "bug"}
    for at, row in enumerate(rows):
        row |= {"id": f"{payload}{at}", payload[:60]: payload}
    (folder / "rows.jsonl").write_bytes(b"\n".join(map(line, rows)))
    return Made("", Survived(look, 0), call=partial(show_all, payload, folder), writes=("runs",))


def show_all(payload: str, folder: Path) -> None:
    """Everything that shows texts, with these."""
    model, runs = str(good_model(folder)), folder.parent / "runs"
    data = ["--model", model, "--data", str(folder / "rows.jsonl")]
    command(["prepare", "--review", *data, "--out", str(runs), "--name", "p"])
    command(["show", str(folder / "rows.jsonl"), "--model", model, "--row", "3"])
    run = RunFolder(run_of(folder))
    fill(run, payload)
    shutil.copy(runs / "p" / "data" / "card.json", run.data_card)
    write_verdict(run)
    write_report(run)
    entry = access_entry({"method": payload, "path": f"/{payload}", "client": (payload, 1)}, 404, 0.1, 0)
    (run.path / "access.log").write_text(as_line(entry) + "\n")


def fill(run: RunFolder, payload: str) -> None:
    """Puts the payload into the prompts, answers, labels and names of opponents of a run that is evaluated."""
    quoted = json.dumps(payload)[1:-1]

    def filled(value: Any) -> Any:
        text = json.dumps(value)
        for quote, word in (("", "Ticket"), ('"', "bug"), ('"', "wish"), ('"', "prompted")):
            text = text.replace(quote + word, quote + quoted + word)
        return json.loads(text)

    items = read_jsonl(run.items)
    for item in items:
        item["prompt"], item["output"] = payload + item["prompt"], payload + item["output"]
    write_jsonl(run.items, map(filled, items))
    write_json(run.arms, filled(read_json(run.arms)))


def command(words: list[str]) -> None:
    sys.argv = ["burnish", *words]
    try:
        main()
    except SystemExit as stop:
        if stop.code:
            raise AssertionError(f"{words[0]} ends with {stop.code}") from stop


class Tags(HTMLParser):
    """The tags of a page, and what of its attributes could act."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.acting: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            reaches = name in ("src", "href", "action", "data", "srcdoc", "xlink:href") and not (
                value or ""
            ).startswith("#")
            if name.startswith("on") or reaches:
                self.acting.append(f"<{tag} {name}={value}>")


def look(box: Path) -> Iterator[str]:
    """What would act in a browser, a spreadsheet, a renderer of Markdown or a reader of logs."""
    made, run = box / "runs" / "p", box / "runs" / "r"
    for path in (made / "review.html", run / "report.html"):
        yield from acts(path)
    with (made / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    yield from (f"a formula in the table: {cell[:60]!r}" for cell in cells if FORMULA.match(cell))
    for path in (made / "data" / "card.md", run / "verdict.md"):
        outside = path.read_text("utf-8")
        for quoted in QUOTED:
            outside = quoted.sub("", outside)
        found = MARKUP.search(outside) or LINK.search(outside)
        if found:
            yield f"{path.name} holds markup: {outside[found.start() :][:80]!r}"
    for path in (run / "access.log", made / "events.jsonl"):
        yield from _lines(path)


def acts(path: Path) -> Iterator[str]:
    page = Tags()
    page.feed(path.read_text("utf-8"))
    if page.acting:
        yield f"{path.name} acts: {page.acting[0][:100]}"
    if found := FORBIDDEN & set(page.tags):
        yield f"{path.name} holds {found}"
    if page.tags["script"] > 1:
        yield f"{path.name} has {page.tags['script']} scripts"


def _lines(path: Path) -> Iterator[str]:
    for one in path.read_text("utf-8").splitlines():
        try:
            json.loads(one)
        except ValueError:
            yield f"a line of {path.name} is no JSON: {one[:80]!r}"
            return


CASES = tuple(
    Case(f"a text that acts, {number}: {payload[:40]!r}", partial(made, payload), run=True)
    for number, payload in enumerate(PAYLOADS, start=1)
)
