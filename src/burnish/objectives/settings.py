"""What the model is trained to do with the rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from burnish.core.settings import Settings


class SFTSettings(Settings):
    """Supervised fine-tuning: learn the answers, read the rest."""

    type: Literal["sft"] = "sft"


class DPOSettings(Settings):
    """Direct preference optimisation: make the chosen answer of a pair likelier against the rejected one."""

    type: Literal["dpo"] = "dpo"
    beta: float = Field(
        0.1, gt=0, le=10, description="How closely the model stays by its start: a smaller beta lets it move further. "
        "0.1 is the method's usual value."
    )  # fmt: skip
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="Share of the pairs that are thought to be labelled the wrong way round."
    )
    reference: Literal["auto", "switch", "cached"] = Field(
        "auto", description="How the model before training is asked: `switch` turns the adapter off, which costs one "
        "more forward pass an update; `cached` asks once for every pair and keeps the numbers in the run. auto is "
        "cached where a pair is met more than once, which is a third quicker, or where there is no adapter to switch."
    )  # fmt: skip


class SDFTSettings(Settings):
    """Self-distillation: the model answers by itself, and is pulled to what it says when it is shown the given answer.
    Learns slower and costs three to five times as much an update; a model that cannot make use of an answer in its
    prompt, as most small ones, learns little. Needs an adapter.
    """

    type: Literal["sdft"] = "sdft"
    hint: str = Field(
        "{question}\n\nThis is a good answer to it:\n{answer}\n\nNow answer it yourself.",
        description="How the teacher is shown the answer: the text of the last message of its prompt, with {question} "
        "for what stands there and {answer} for the given answer.",
    )

    @field_validator("hint")
    @classmethod
    def _holds_both(cls, hint: str) -> str:
        if "{question}" not in hint or "{answer}" not in hint:
            raise ValueError("`hint` must hold {question} and {answer}")
        return hint


ObjectiveSettings = Annotated[SFTSettings | DPOSettings | SDFTSettings, Field(discriminator="type")]
