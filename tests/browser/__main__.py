"""`python -m tests.browser`: texts that act on every page, then the pages on a phone, on paper and by keyboard."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bad_inputs.injections import PAYLOADS
from tests.bad_inputs.warm import warm_up
from tests.browser.acting import Score, acting_without_protection, show_all
from tests.browser.pages import write_pages
from tests.browser.using import LONG, by_keyboard, on_a_phone, on_paper
from tests.browser.watch import browser, missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description=__doc__)
    parser.add_argument("--text", type=int, action="append", help="the number of one of the texts that act")
    parser.add_argument("--page", type=Path, action="append", default=[], help="a page of yours, for phone and paper")
    asked = parser.parse_args()
    if needed := missing():
        print(needed)
        return 2
    began = time.monotonic()
    with browser() as started:
        print(f"Chromium {started.version}")
        texts = [PAYLOADS[number - 1] for number in asked.text] if asked.text else PAYLOADS
        control = acting_without_protection(started, texts)
        print(f"control: {control} of {len(texts)} texts act on a page that holds them as they are")
        score = Score()
        for line in show_all(started, texts, score):
            print(line, flush=True)
        wrong = [*score.wrong, *used(started, asked.page)]
    print(f"{sum(score.steps.values())} looks at {len(score.steps)} places: {dict(score.steps)}")
    print("\n".join(wrong[:60]))
    print(f"{len(wrong)} things wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong or not control else 0


def used(started: Browser, pages: list[Path]) -> Iterator[str]:
    """What is wrong with the pages for a person."""
    with tempfile.TemporaryDirectory(prefix="burnish-browser-") as name:
        folder = Path(name)
        written = dict(write_pages(LONG, folder / "box", warm_up(folder)))
        shown = [place for place in written if place.endswith(".html")]
        addresses = {place: written[place].as_uri() for place in shown}
        addresses |= {str(path): path.resolve().as_uri() for path in pages}
        for place, address in addresses.items():
            yield from (f"{place} on a phone: {one}" for one in on_a_phone(started, address))
            yield from (f"{place} on paper: {one}" for one in on_paper(started, address, folder / "page.pdf"))
        yield from (f"the arena by keyboard: {one}" for one in by_keyboard(started, folder))


if __name__ == "__main__":
    raise SystemExit(main())
