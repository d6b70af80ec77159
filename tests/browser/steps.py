"""What a reader does on each page, step by step; after each the text stands there as text, and nothing has acted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from burnish.evals.wording import visible
from tests.browser.pages import Page

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

NAME = "ada"
KEYS = ("ArrowLeft", "ArrowRight", "ArrowDown", "s")  # each of them is a vote
EXPAND = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
COLLAPSE = "() => document.querySelectorAll('details').forEach((one) => { one.open = false; })"
TOUCH = """() => {
  for (const kind of ["mouseover", "focus", "toggle", "start", "pageshow"])
    document.querySelectorAll("*").forEach((one) => one.dispatchEvent(new Event(kind, { bubbles: true })));
}"""
Step: TypeAlias = tuple[str, str]  # what was done, and what is wrong with what came of it
Steps: TypeAlias = Callable[["Tab", str, Page], Iterator[Step]]


def read(tab: Tab, text: str, page: Page) -> Iterator[Step]:
    """A page without a script: everything is opened, and the pointer is everywhere."""
    yield "opened", ""
    tab.evaluate(EXPAND)
    tab.evaluate(TOUCH)
    yield "expanded", ""


def read_report(tab: Tab, text: str, page: Page) -> Iterator[Step]:
    """Every choice of every filter, a search for the text, differences from every arm, arms left out."""
    yield from read(tab, text, page)
    for filters in ("suite", "kind", "against"):
        for value in _values(tab, filters):
            tab.select_option(f"#{filters}", value=value)
            yield f"{filters} {value!r}", ""
        tab.select_option(f"#{filters}", value="")
    wanted = visible(text)
    tab.fill("#search", wanted)
    found = tab.locator("details.row:not([hidden])").count()
    lost = not found and wanted.isprintable() and bool(wanted.strip())
    yield "searched", f"{found} rows are found" if lost else ""
    tab.fill("#search", "")
    for box in tab.locator("#controls input[type=checkbox]").all():
        box.uncheck()
    yield "arms left out", ""
    tab.evaluate(COLLAPSE)
    yield "collapsed", ""


def _values(tab: Tab, filters: str) -> list[str]:
    found: list[str] = tab.eval_on_selector_all(f"#{filters} option", "(all) => all.map((one) => one.value)")
    return found


def vote(tab: Tab, text: str, page: Page) -> Iterator[Step]:
    """Votes by keyboard and by click, under the text as a name where it can be one."""
    begin(tab, text[:40] if text.isprintable() else NAME)
    yield "named", ""
    for count, key in enumerate(KEYS, start=1):
        tab.keyboard.press(key)
        tab.wait_for_function("(n) => document.getElementById('progress').textContent.startsWith(n + ' of')", arg=count)
        yield key, "" if page.votes() == count else f"{page.votes()} votes instead of {count}"
    tab.click("#undo")
    tab.wait_for_function("(n) => document.getElementById('progress').textContent.startsWith(n + ' of')",
                          arg=len(KEYS) - 1)  # fmt: skip
    yield "undone", "" if page.votes() == len(KEYS) - 1 else f"{page.votes()} votes"


def begin(tab: Tab, name: str) -> None:
    """Types a name and begins; waits for the first pair, or for what is said of the name."""
    tab.fill("#name", name)
    tab.click("#welcome button")
    tab.wait_for_function("() => ['match', 'message'].some((id) => !document.getElementById(id).hidden)")


STEPS: Mapping[str, Steps] = {"report.html": read_report, "arena": vote}
