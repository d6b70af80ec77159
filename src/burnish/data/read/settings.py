"""What a recipe may say about how files are read."""

from __future__ import annotations

from pydantic import Field

from burnish.core.settings import Settings


class ReadSettings(Settings):
    """Nothing needs to be set: kinds and encodings of files are found, and said."""

    encoding: str = Field(
        default="auto",
        description="Encoding of the text files, by its usual name, such as `windows-1251`. `auto` takes UTF-8, UTF-16 "
        "and UTF-32, and Windows-1252 where the letters leave no doubt; it asks where they do.",
    )
    largest_download_gb: float = Field(
        default=20,
        gt=0,
        le=10_000,
        description="Gigabytes that one http or hub address may bring. A guard against the wrong address; larger data "
        "sets are better copied once and read from disk.",
    )
