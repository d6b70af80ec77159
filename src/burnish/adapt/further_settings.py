"""Settings of the methods that change less than LoRA does, or other things than matrices."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from burnish.core.settings import Settings

MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

# Types of methods whose adapter has no merged form, so that it is always served beside its base.
BESIDE_ONLY = ("prompt", "prefix", "bottleneck")


class IA3Settings(Settings):
    """One factor for each number that keys, values and the MLP's inner layer give (arXiv 2205.05638)."""

    type: Literal["ia3"] = "ia3"
    targets: tuple[str, ...] = Field(
        ("k_proj", "v_proj", "down_proj"),
        description="Matrices that get factors: of what they give, or, of down_proj, of what it takes.",
    )

    @property
    def config(self) -> dict[str, Any]:
        """For peft. `down_proj` has its factors before it, as in the paper."""
        before = [name for name in self.targets if name == "down_proj"]
        return {"peft_type": "IA3", "target_modules": list(self.targets), "feedforward_modules": before}


class VeRASettings(Settings):
    """Random projections that all layers share, and two learnt vectors for each matrix (arXiv 2310.11454)."""

    type: Literal["vera"] = "vera"
    r: int = Field(
        256,
        ge=1,
        le=4096,
        description="Rows of the shared projections. What is learnt hardly grows with it; time does.",
    )
    targets: tuple[str, ...] = Field(MATRICES, description="Matrices that get an update, such as q_proj.")


class PromptSettings(Settings):
    """Learnt rows stand before everything the model reads; no weight of it changes (arXiv 2104.08691)."""

    type: Literal["prompt"] = "prompt"
    tokens: int = Field(
        20, ge=1, le=1024, description="How many rows. The paper saw little gain beyond 20; each costs a token's time."
    )


class PrefixSettings(Settings):
    """Learnt keys and values stand before the text in every layer (arXiv 2101.00190)."""

    type: Literal["prefix"] = "prefix"
    tokens: int = Field(
        20, ge=1, le=1024, description="How many places: 10 to 200 in the paper, more for longer answers."
    )


class BottleneckSettings(Settings):
    """A small network of two layers after the parts of every layer (arXiv 1902.00751)."""

    type: Literal["bottleneck"] = "bottleneck"
    size: int = Field(
        64,
        ge=1,
        le=4096,
        description="Width of its inner layer. 64 came within 0.4 % of full fine-tuning in the paper.",
    )
    after: Literal["mlp", "both"] = Field(
        "mlp",
        description="Behind the MLP alone, which does as well with half of it (arXiv 2005.00247), or attention too.",
    )
    activation: Literal["relu", "gelu", "silu"] = Field("relu", description="What stands between its two layers.")
