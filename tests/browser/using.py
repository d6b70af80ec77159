"""The pages as a person uses them: on a phone, on paper, by keyboard."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.evals.arena.ballots import Ballots
from burnish.server.arena_server import open_arena
from tests.browser.pages import MATCHES, matches
from tests.browser.steps import NAME, begin
from tests.browser.watch import Watched, context, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# One word as long as the page is wide, and one as long as a paragraph.
LONG = "word " * 60 + "https_" * 40 + " " + "supercalifragilistic" * 20
CLOSED_ROWS = """() => [...document.querySelectorAll("details:not([open])")].filter((one) =>
  [...one.children].some((child) => child.localName !== "summary" && !child.checkVisibility(
    { contentVisibilityAuto: true }) || child.getBoundingClientRect().height === 0)).length"""
PROGRESS = "(text) => document.getElementById('progress').textContent.startsWith(text)"


def on_a_phone(started: Browser, address: str) -> Iterator[str]:
    """What keeps a page from being read at 390 pixels."""
    with context(started, phone=True) as visitor, watched(visitor, address) as seen:
        seen.tab.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wide = seen.tab.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
        if wide != [390, 390]:
            yield f"{wide[0]} pixels wide in a window of {wide[1]}"
        small = seen.tab.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
        if small < 14:
            yield f"letters of {small} pixels"
        yield from seen.said


def on_paper(started: Browser, address: str, into: Path) -> Iterator[str]:
    """What is wrong with a page that is printed."""
    with context(started) as visitor, watched(visitor, address) as seen:
        yield from _printed(seen, into)


def _printed(seen: Watched, into: Path) -> Iterator[str]:
    seen.tab.emulate_media(media="print")
    if hidden := seen.tab.evaluate(CLOSED_ROWS):
        yield f"{hidden} closed parts are not printed"
    content = seen.tab.pdf(format="A4")
    into.write_bytes(content)
    if not content.startswith(b"%PDF") or not re.search(rb"/Type\s*/Page\b", content):
        yield "it cannot be printed"
    yield from seen.said


def by_keyboard(started: Browser, folder: Path) -> Iterator[str]:
    """What is wrong with a vote that was cast without a mouse; the votes are read from the file."""
    path, pairs = folder / "arena.sqlite", matches("an answer")
    with (
        Ballots(path) as ballots,
        open_arena(pairs, ballots, host="127.0.0.1", port=0) as address,
        context(started) as visitor,
        watched(visitor, address) as seen,
    ):
        tab = seen.tab
        begin(tab, "a\u202eb")  # a name that acts is refused, and can be mended
        if not tab.locator("#message").is_visible() or not tab.locator("#name").is_visible():
            yield "a refused name cannot be mended"
        seen.said.clear()
        tab.fill("#name", "")
        tab.keyboard.type(NAME)
        tab.keyboard.press("Enter")
        tab.wait_for_function(PROGRESS, arg=f"0 of {MATCHES}")
        for count, key in enumerate(("ArrowLeft", "ArrowRight", "ArrowDown", "t", "s"), start=1):
            tab.keyboard.press(key)
            tab.wait_for_function(PROGRESS, arg=f"{count} of {MATCHES}")
        tab.keyboard.press("u")
        tab.wait_for_function(PROGRESS, arg=f"4 of {MATCHES}")
        tab.keyboard.press("Control+ArrowLeft")  # a shortcut of somebody else
        tab.keyboard.press("x")
        tab.keyboard.down("ArrowLeft")
        tab.keyboard.down("ArrowLeft")  # held down: repeats are not votes
        tab.keyboard.up("ArrowLeft")
        tab.wait_for_function(PROGRESS, arg=f"5 of {MATCHES}")
        tab.wait_for_timeout(200)
        yield from seen.faults()
    stored = _votes(path)
    # Even pairs show the specialist on the left; pairs come in the order of their ids.
    wanted = ["specialist", "specialist", "tie", "tie", "specialist"]
    if [choice for _, choice in stored] != wanted or {voter for voter, _ in stored} != {NAME}:
        yield f"votes {stored} instead of {wanted}"


def _votes(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT voter, choice FROM votes ORDER BY number").fetchall()
    connection.close()
    return found
