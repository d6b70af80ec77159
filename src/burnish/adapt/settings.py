"""How much of the model changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from burnish.adapt.further_settings import (
    BottleneckSettings,
    IA3Settings,
    PrefixSettings,
    PromptSettings,
    VeRASettings,
)
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

    ranks: dict[str, Annotated[int, Field(ge=1, le=1024)]] = Field(
        {},
        description="Ranks of single matrices, as `{down_proj: 32, 'layers.0.*': 4}`; * stands for anything. The first "
        "that fits counts; the other matrices have rank r. Alpha is the same for all.",
    )
    rslora: bool = Field(
        False,
        description="The update counts alpha / sqrt(r) times, so that a high rank learns as fast as a low one (arXiv "
        "2312.03732).",
    )
    plus_ratio: float = Field(
        1.0,
        ge=1,
        le=100,
        description="LoRA+: B learns so many times faster than A (arXiv 2402.12354; 16 there). learning_rate is A's.",
    )
    dora: bool = Field(
        False, description="DoRA: the length of each output's row learns besides (arXiv 2402.09353). Slower."
    )
    start: Literal["zero", "pissa"] = Field(
        "zero",
        description="pissa: begin with each matrix's largest directions (arXiv 2404.02948); saved with rank 2 r, on "
        "the same base.",
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of what the update reads that is left out in training. 0: early stop does."
    )

    @field_validator("targets")
    @classmethod
    def _inside_layers(cls, targets: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if outside := {"lm_head", "embed_tokens"} & set(targets if isinstance(targets, tuple) else ()):
            raise ValueError(f"{min(outside)} can't take a low-rank update here: only the matrices inside the layers")
        return targets

    @model_validator(mode="after")
    def _dora_without_dropout(self) -> LoRASettings:
        if self.dora and self.dropout:
            raise ValueError("dora and dropout exclude each other: the length of a row with parts left out is not its")
        return self

    @property
    def target_names(self) -> tuple[str, ...]:
        return GROUPS[self.targets] if isinstance(self.targets, str) else self.targets


class FullSettings(Settings):
    """Every weight trains."""

    type: Literal["full"] = "full"


class FreezeSettings(Settings):
    """Only the last layers train, or what is named; the rest stays as it is."""

    type: Literal["freeze"] = "freeze"
    layers: int = Field(4, ge=1, description="How many of the last layers train, with the last norm.")
    names: tuple[str, ...] = Field(
        (),
        description="Weights that train instead, by name or pattern: `layers.2*.mlp.*`, `norm`, `embed_tokens`. Every "
        "one must match something.",
    )


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
    LoRASettings
    | FullSettings
    | FreezeSettings
    | OSFTSettings
    | IA3Settings
    | VeRASettings
    | PromptSettings
    | PrefixSettings
    | BottleneckSettings
    | PeftSettings,
    Field(discriminator="type"),
]
