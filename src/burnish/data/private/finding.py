"""One piece of private data in a text, and which one counts where two overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from burnish.data.private.settings import Kind

# Of two that overlap the more harmful and more certain one counts: a password before the address it looks like.
ORDER: tuple[Kind, ...] = ("key", "password", "iban", "card", "national_id", "email", "ip", "phone", "name")


@dataclass(frozen=True)
class Finding:
    """text[start:end] is private."""

    kind: Kind
    start: int
    end: int


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by place, the first by `ORDER` of those that overlap."""
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda finding: (ORDER.index(finding.kind), finding.start, -finding.end)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda finding: finding.start)
