"""The data card: what came in, what became of every row, and what a reader must know before trusting the rest."""

from __future__ import annotations

from burnish.data.card.facts import (
    DataCard,
    Duplicates,
    LicenceNote,
    PartFacts,
    Private,
    Tokens,
    part_measured,
    read_card,
)
from burnish.data.card.licence import licences_beside
from burnish.data.card.limits import limits
from burnish.data.card.text import markdown

__all__ = [
    "DataCard",
    "Duplicates",
    "LicenceNote",
    "PartFacts",
    "Private",
    "Tokens",
    "licences_beside",
    "limits",
    "markdown",
    "part_measured",
    "read_card",
]
