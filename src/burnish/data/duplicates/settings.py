"""What a recipe says about duplicates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from burnish.core.settings import Settings


class DuplicateSettings(Settings):
    """Exact duplicates are left out; rows that nearly say the same stand on one side of train, dev and test."""

    exact: Literal["drop", "keep"] = Field(
        default="drop",
        description="What happens to a row that stands in the data twice. `keep` suits data in which repetition is "
        "meant as weight; its copies stay on one side then.",
    )
    near: Literal["group", "drop", "off"] = Field(
        default="group",
        description="What happens to rows that differ in a few words. `group` keeps them on one side of the split, "
        "`drop` keeps the first of them, `off` does not look.",
    )
    threshold: float = Field(
        default=0.8,
        ge=0.6,
        le=1.0,
        description="Share of the words of two rows that must agree, in order, for them to be near duplicates: below "
        "0.8 two texts on one subject begin to agree by chance.",
    )
    few_words: int = Field(
        default=3,
        ge=0,
        le=3,
        description="Words in which a short row may differ from another with the same answer and the same numbers, as "
        "long as half of its words agree; twice as many where that answer has 8 words or more. 0 leaves `threshold` "
        "alone to decide.",
    )
    contained: float = Field(
        default=0.5,
        gt=0,
        le=1.0,
        description="Share of the runs of 8 words of a test row that must stand in one row of train for it to be a "
        "leak, or nine tenths of those of what it asks. Runs that stand in very many rows, such as an "
        "instruction, do not count.",
    )
    semantic: str = Field(
        default="off",
        description="A sentence embedding model (a folder or a hub id, such as sentence-transformers/all-MiniLM-L6-v2) "
        "that finds rows with the same meaning in other words; `off` for none. It takes milliseconds a row.",
    )
    semantic_threshold: float = Field(
        default=0.95,
        ge=0.5,
        le=1.0,
        description="Cosine of two rows' embeddings from which they mean the same. Models differ: look at the pairs "
        "that are reported before you lower it.",
    )
