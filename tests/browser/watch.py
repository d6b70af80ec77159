"""A browser that is watched: what a page runs, asks for and complains of, and what in it could act."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bad_inputs.injections import FORBIDDEN, REACHING
from tests.browser.pages import KEY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Route
    from playwright.sync_api import Page as Tab

SETTLE_MS = 40  # in which an image fails to load, a frame starts, a handler runs
LONGEST_MS = 10_000
PHONE = {"width": 390, "height": 844}
NEEDED = """This needs a browser and playwright, which Burnish itself does not:
  apt-get install chromium        (or any Chromium or Chrome)
  pip install playwright
  BURNISH_BROWSER=/usr/bin/chromium python -m tests.browser"""

# Elements and attributes that no page of Burnish has, whatever it shows; scripts beyond its own.
ACTING = """([forbidden, reaching]) => {
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    const tag = element.localName;
    if (forbidden.includes(tag) && !(tag === "form" && element.id === "welcome")) found.push(`<${tag}>`);
    for (const { name, value } of element.attributes)
      if (name.startsWith("on") || (reaching.includes(name) && !value.startsWith("#"))) found.push(`${name}=${value}`);
  }
  if (document.scripts.length > 1) found.push(`${document.scripts.length} scripts`);
  return found.map((one) => one.slice(0, 100));
}"""
# Whether a text stands in the page, apart from white space and from signs that are spelt out.
SHOWN = r"""(wanted) => {
  const bare = (text) => text.replace(/\\u[0-9a-f]{4}|[\s\p{C}\p{Z}]/gu, "");
  const root = document.querySelector("main, body, svg") || document.documentElement;
  return bare(document.documentElement.textContent).includes(bare(wanted)) && bare(root.textContent).length > 0;
}"""


@dataclass
class Watched:
    """A tab, and what was seen of it since it was opened."""

    tab: Tab
    ran: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # errors and warnings on the console, those of the policy among them

    def faults(self) -> Iterator[str]:
        """What the page did or could do that it must not."""
        yield from (f"ran {one}" for one in self.ran)
        yield from (f"asked for {one}" for one in self.asked)
        yield from (f"said {one}" for one in self.said)
        yield from (f"holds {one}" for one in self.tab.evaluate(ACTING, [sorted(FORBIDDEN), sorted(REACHING)]))

    def hear(self, said: ConsoleMessage) -> None:
        """What the console shows, but for the status of a page that is itself an error."""
        own = said.text.startswith("Failed to load resource") and said.location["url"] == self.tab.url
        if said.type in ("error", "warning") and not own:
            self.said.append(said.text[:200])

    def shows(self, text: str) -> bool:
        return bool(self.tab.evaluate(SHOWN, text))


def missing() -> str:
    """What to install; "" when all is there."""
    there = importlib.util.find_spec("playwright") is not None and os.environ.get("BURNISH_BROWSER")
    return "" if there else NEEDED


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser that BURNISH_BROWSER names. It knows no host but this machine."""
    from playwright.sync_api import sync_playwright

    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]
    if os.geteuid() == 0:  # Chromium refuses to sandbox root
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=os.environ["BURNISH_BROWSER"], args=arguments)
        yield started
        started.close()


@contextmanager
def context(started: Browser, *, policy: bool = True, phone: bool = False) -> Iterator[BrowserContext]:
    """Cookies and settings of one visitor. Without `policy` pages stand on their escaping alone."""
    screen = PHONE if phone else {"width": 1280, "height": 900}
    opened = started.new_context(bypass_csp=not policy, viewport=screen, is_mobile=phone, has_touch=phone)
    opened.set_default_timeout(LONGEST_MS)
    yield opened
    opened.close()


@contextmanager
def watched(visitor: BrowserContext, address: str) -> Iterator[Watched]:
    """Opens an address in a tab of its own. Whatever it asks for, but its own pages, is noted and comes to nothing."""
    tab = visitor.new_page()
    seen = Watched(tab)
    tab.expose_binding("alert", lambda _, *said: seen.ran.append(f"alert{said}"))
    tab.on("pageerror", lambda error: seen.said.append(str(error)[:200]))
    tab.on("console", seen.hear)
    tab.on("popup", lambda other: seen.asked.append(f"a window: {other.url}"))
    own = re.compile(re.escape(address) + "(next|vote|undo)?")

    def pass_on(route: Route) -> None:
        if own.fullmatch(route.request.url):
            route.continue_()
        else:
            seen.asked.append(route.request.url[:200])
            route.abort()

    tab.route("**/*", pass_on)
    if address.startswith("http") and "/v1/" in address:
        tab.set_extra_http_headers({"Authorization": f"Bearer {KEY}"})
    tab.goto(address)
    tab.on("framenavigated", lambda frame: seen.asked.append(f"went to {frame.url[:200]}"))
    tab.wait_for_timeout(SETTLE_MS)
    yield seen
    tab.close()
