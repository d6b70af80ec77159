"""The arena's page: one document with its style and script inside, each allowed by its hash and nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Page:
    """The document, and the policy that it must be sent with."""

    html: bytes
    policy: str


def arena_page() -> Page:
    """The same for every run: it holds no data."""
    folder = resources.files("burnish.server") / "arena"
    html, style, script = ((folder / f"arena.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    document = html.replace("/*STYLE*/", style, 1).replace("/*SCRIPT*/", script, 1)
    return Page(document.encode("utf-8"), policy)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
