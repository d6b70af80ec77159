"""What the model is trained to do with the rows."""

from __future__ import annotations

from typing import Literal

from burnish.core.settings import Settings


class SFTSettings(Settings):
    """Supervised fine-tuning: learn the answers, read the rest."""

    type: Literal["sft"] = "sft"


ObjectiveSettings = SFTSettings  # a union with a discriminator as soon as there are two
