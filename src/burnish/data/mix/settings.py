"""What a recipe says about how its sources are mixed and how rows are shaped."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from burnish.core.settings import Settings

Longer: TypeAlias = Literal["drop", "split", "cut"]
Order: TypeAlias = Literal["shuffled", "short_first", "file"]


class SourceSettings(Settings):
    """A file of `data.train` with more to say about it than its name: `{file: faq.jsonl, weight: 3}`."""

    file: str = Field(min_length=1, description="The file, relative to the recipe's folder, or its address.")
    weight: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="How often each row of this file is used: 2 is twice, 0.5 is a fair half of the rows.",
    )
    name: str | None = Field(
        default=None, min_length=1, description="What the card calls this source. Default: the file's name."
    )


class MixSettings(Settings):
    """Rows of rare sources and labels may be repeated in train; nothing is left out but by a weight below 1."""

    temperature: float = Field(
        default=1.0,
        ge=1.0,
        le=100.0,
        description="Evens out sources of different size: with n rows one gets a share in proportion to n^(1/T) (times "
        "its weight), the largest keeping each row once. 1 leaves the sizes as they are, 100 makes them all but equal.",
    )
    balance: Literal["off", "labels"] = Field(
        default="off",
        description="`labels` repeats the rows of rare labels until each label of train has as many as the commonest. "
        "Rare labels gain by it, and overall accuracy may lose.",
    )
    most_uses: int = Field(
        default=4,
        ge=1,
        le=100,
        description="How often one row may stand in train, whatever weights, temperature and balance ask for; the "
        "epochs of training come on top. Up to four uses are nearly as good as new rows (Muennighoff et al. 2023).",
    )
