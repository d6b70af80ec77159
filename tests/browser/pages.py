"""Every page, with one text in all places that show what others wrote."""

from __future__ import annotations

import contextlib
import io
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import quote

from markdown_it import MarkdownIt

from burnish.core.files import read_json, write_json, write_text
from burnish.core.run_folder import RunFolder
from burnish.deploy.card import short_card, write_card
from burnish.evals.arena.ballots import Ballots
from burnish.evals.arena.matches import Match
from burnish.evals.ladder.page import write_ladder
from burnish.evals.ladder.records import Ladder, LeftOut, Rung, Worst
from burnish.evals.report import write_report
from burnish.evals.verdict_text import write_verdict
from burnish.server.app import create_app
from burnish.server.arena_server import open_arena
from burnish.server.catalog import Catalog
from burnish.server.key import Key
from burnish.server.serve import listen, make_server
from burnish.server.worker import Worker
from tests.bad_inputs.injections import made

KEY = "a-key-for-the-browser-alone-0123456789"
SERVER = "error of the server"  # which is JSON
MATCHES = 8
# A policy would hide what a careless renderer lets through.
BARE = "<!doctype html><html><head><meta charset='utf-8'><title>.</title></head><body><main>{}</main></body></html>"
OWN_LINKS = ("[The card](../README.md)", "![Task gain against forgetting](ladder.svg)")
NO_NAME = {"/": "\u2215", "\0": "\u2400"}  # what a folder cannot be called


@dataclass(frozen=True)
class Page:
    """`place` names it in the score. `votes` counts what the arena behind it has stored."""

    place: str
    address: str
    votes: Callable[[], int] = int


def write_pages(text: str, box: Path, model: Path) -> Mapping[str, Path]:
    """Place → file. A run is prepared, shown and judged anew with the text in its rows, columns, answers, labels,
    prompts and names."""
    (box / "data").mkdir(parents=True)
    shutil.copytree(model.parent / "trained" / "r", box / "runs" / "r", symlinks=True)
    call = made(text, box / "data", Random(0)).call
    if call is None:
        raise ValueError("the case of a text that acts is a call")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        call()
    prepared, run = RunFolder(box / "runs" / "p"), _renamed(RunFolder(box / "runs" / "r"), text)
    _name_in_files(run, text)
    write_verdict(run)
    write_report(run)
    write_card(run)
    write_ladder(box, _ladder(text))
    markdown = {
        "verdict.md": run.verdict_md.read_text("utf-8"),
        "card of the data": (prepared.data / "card.md").read_text("utf-8"),
        "ladder.md": (box / "ladder.md").read_text("utf-8"),
        "card of the model": run.card.read_text("utf-8") + short_card(run, _licence(text)),
    }
    for at, content in enumerate(markdown.values()):
        write_text(box / f"{at}.html", BARE.format(rendered(content)))
    written = {"report.html": run.report, "review.html": prepared.path / "review.html"}
    written |= {"ladder.html": box / "ladder.html", "ladder.svg": box / "ladder.svg"}
    return written | {place: box / f"{at}.html" for at, place in enumerate(markdown)}


def rendered(markdown: str) -> str:
    """As the most trusting renderer shows it, apart from the page's own link and picture: HTML stands as it is, and
    links lead anywhere."""
    for link in OWN_LINKS:
        markdown = markdown.replace(link, "")
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    renderer.validateLink = lambda url: True
    return str(renderer.render(markdown))


def _renamed(run: RunFolder, text: str) -> RunFolder:
    """The run in a folder that is called as the text, as far as a folder can be."""
    name = text.translate(str.maketrans(NO_NAME))[:60]
    return RunFolder(run.path.rename(run.path.with_name(f"r {name}")))


def _name_in_files(run: RunFolder, text: str) -> None:
    """Models and licences that are called as the text."""
    environment = read_json(run.environment)
    write_json(run.environment, environment | {"model": {"name": f"{text}/{text}", "sha256": text}, text: text})
    run.export.mkdir(exist_ok=True)
    write_json(run.parity, _licence(text))


def _licence(text: str) -> Mapping[str, object]:
    return {"base": {"licence": text, "sha256": text}, "forms": {"merged": {"status": "kept", "reason": text}}}


def _ladder(text: str) -> Ladder:
    rungs = tuple(
        Rung(name, {text: text}, "BETTER", 0.1, 0.05, 0.15, "KEPT", 0.02, 0.01, 0.03, Worst(text, 0.5), 8, 60.0, True)
        for name in (text, f"{text} 2")
    )
    return Ladder("accuracy", text, "95 %", 0.1, rungs, (LeftOut(text, text),), text, text)


@contextmanager
def opened(text: str, written: Mapping[str, Path], folder: Path, server: str) -> Iterator[list[Page]]:
    """All places as addresses, those of servers too, as long as the block lasts."""
    with ExitStack() as stack:
        ballots = stack.enter_context(Ballots(folder / "arena.sqlite"))
        arena = stack.enter_context(open_arena(matches(text), ballots, host="127.0.0.1", port=0))
        pages = [Page(place, path.as_uri()) for place, path in written.items()]
        pages.append(Page("arena", arena, lambda: len(ballots.votes())))
        yield [*pages, Page(SERVER, f"{server}/v1/{quote(text, safe='')}?q={quote(text, safe='')}")]


def matches(text: str, count: int = MATCHES) -> list[Match]:
    """Pairs of answers that all hold the text; which is ours differs."""
    return [
        Match(f"m{n}", f"{text} {n}", text, f"{text} {n}", f"ours {text}", f"theirs {text}", f"hash{n}", n % 2 == 0)
        for n in range(count)
    ]


@contextmanager
def empty_server() -> Iterator[str]:
    """The address of `burnish serve` without a model: what it refuses it refuses alike."""
    with closing(Worker(capacity=1)) as worker, listen("127.0.0.1", 0) as socket:
        running = make_server(create_app(Catalog(worker, slots=1), Key(KEY), log=lambda entry: None))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        running.should_exit = True
        thread.join(10)
