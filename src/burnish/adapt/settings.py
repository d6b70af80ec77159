"""How much of the model changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from burnish.core.settings import Settings

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
GROUPS = {"all-linear": ATTENTION + MLP, "attention": ATTENTION, "mlp": MLP}


class LoRASettings(Settings):
    """A low-rank update beside each chosen matrix (arXiv 2106.09685)."""

    type: Literal["lora"] = "lora"
    r: int = Field(16, ge=1, le=1024, description="Rank of the update. 16 holds what a few thousand rows teach.")
    alpha: float = Field(32.0, gt=0, description="The update counts alpha / r times; 2 r is the usual choice.")
    targets: Literal["all-linear", "attention", "mlp"] | tuple[str, ...] = Field(
        "all-linear", description="Which matrices: a group or a list of names such as q_proj. All of them learn best."
    )

    @property
    def target_names(self) -> tuple[str, ...]:
        return GROUPS[self.targets] if isinstance(self.targets, str) else self.targets


class FullSettings(Settings):
    """Every weight trains."""

    type: Literal["full"] = "full"


class FreezeSettings(Settings):
    """Only the last layers train; the rest stays as it is."""

    type: Literal["freeze"] = "freeze"
    layers: int = Field(4, ge=1, description="How many of the last layers train.")


class OSFTSettings(Settings):
    """The largest singular directions of each chosen matrix stay, the rest trains (arXiv 2504.07097)."""

    type: Literal["osft"] = "osft"
    keep: float = Field(
        0.75, gt=0, lt=1, description="Share of each matrix's singular directions that stay as they are, the largest "
        "first. More forgets less and learns less."
    )  # fmt: skip
    targets: Literal["all-linear", "attention", "mlp"] | tuple[str, ...] = Field(
        "all-linear", description="Which matrices: a group or a list of names such as q_proj; all others are frozen."
    )

    @property
    def target_names(self) -> tuple[str, ...]:
        return GROUPS[self.targets] if isinstance(self.targets, str) else self.targets


class PeftSettings(Settings):
    """Any adapter that the peft library injects into linear layers, by its own configuration."""

    type: Literal["peft"] = "peft"
    config: dict[str, Any] = Field(
        description="As in peft's adapter_config.json: peft_type, and its options. target_modules may be left out."
    )


AdaptSettings = Annotated[
    LoRASettings | FullSettings | FreezeSettings | OSFTSettings | PeftSettings, Field(discriminator="type")
]
