"""Texts that act, on every page, with the page's own policy and without it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bad_inputs.warm import warm_up
from tests.browser.pages import BARE, SERVER, Page, empty_server, opened, write_pages
from tests.browser.steps import STEPS, read
from tests.browser.watch import context, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


@dataclass
class Score:
    """`steps`: how often a page was looked at, by place. `wrong`: what was found."""

    steps: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def show_all(started: Browser, texts: Sequence[str], score: Score) -> Iterator[str]:
    """Tries every text in every place; says after each how it went."""
    with tempfile.TemporaryDirectory(prefix="burnish-browser-") as name, empty_server() as server:
        folder = Path(name)
        model = warm_up(folder)
        for number, text in enumerate(texts, start=1):
            box = folder / str(number)
            written = write_pages(text, box, model)
            before = len(score.wrong)
            for policy in (True, False):
                (box / str(policy)).mkdir()
                with (
                    context(started, policy=policy) as visitor,
                    opened(text, written, box / str(policy), server) as pages,
                ):
                    for page in pages:
                        _show(visitor, page, text, policy, score)
            found = score.wrong[before:]
            yield "\n".join([f"{'FAIL' if found else 'ok  '} {number:2} {text[:60]!r}", *found[:5]])


def _show(visitor: BrowserContext, page: Page, text: str, policy: bool, score: Score) -> None:
    where = f"{page.place}, {'with' if policy else 'without'} its policy, {text[:60]!r}"
    try:
        with watched(visitor, page.address) as seen:
            for step, wrong in STEPS.get(page.place, read)(seen.tab, text, page):
                score.steps[page.place] += 1
                found = [*seen.faults(), *([wrong] if wrong else [])]
                if not seen.shows(_told(text) if page.place == SERVER else text):
                    found.append("does not show the text")
                score.wrong += [f"{where}, {step}: {one}" for one in found]
                seen.ran.clear(), seen.asked.clear(), seen.said.clear()
    except Exception as error:  # whatever a browser fails with is a finding
        score.wrong.append(f"{where}: {type(error).__name__}: {str(error)[:300]}")


def _told(text: str) -> str:
    """As JSON has it, with what an address has for a backslash."""
    return json.dumps(text.replace("\\", "%5C"))[1:-1]


def acting_without_protection(started: Browser, texts: Sequence[str]) -> int:
    """The control: how many of the texts act on a page that holds them as they are."""
    acted = 0
    with tempfile.TemporaryDirectory(prefix="burnish-browser-") as name, context(started) as visitor:
        for number, text in enumerate(texts):
            path = Path(name) / f"{number}.html"
            path.write_text(BARE.format(text), "utf-8")
            with watched(visitor, path.as_uri()) as seen:
                acted += bool(seen.ran or seen.asked)
    return acted
