"""How training goes. `auto` values are worked out by `rules.py` and written into training.json."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.core.settings import Settings


class TrainSettings(Settings):
    """The `train` group of a recipe."""

    epochs: float = Field(3.0, gt=0, le=100, description="How often each row is seen. Three is safe with early stop.")
    steps: int | None = Field(None, ge=1, description="Updates in all; overrides `epochs`.")
    rows_per_update: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="Rows between two changes of the weights: 8, fewer for small data (at least 40 updates an "
        "epoch where the rows allow, but never under 4 rows)."
    )  # fmt: skip
    tokens_per_pass: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="Tokens computed at once: more is faster and takes more memory. Never changes the result."
    )
    recompute: bool = Field(
        False, description="Keep only the input of each layer for the backward pass and compute the rest again there, "
        "in smaller passes: takes the least memory, at two thirds of the speed or more. Never changes the result."
    )  # fmt: skip
    learning_rate: Annotated[float, Field(gt=0, le=1)] | Literal["auto", "probe"] = Field(
        "auto", description="Peak rate. auto: by rule from the model's width and the method, see training.json for the "
        "value. probe: five short trainings around that rate, about as long as the training itself, and the rate with "
        "the lowest loss on dev."
    )  # fmt: skip
    learning_rate_multiplier: float = Field(
        1.0, gt=0, le=100, description="Factor on the rate, whether that is a number or found by rule."
    )  # fmt: skip
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="How the rate falls after warm-up.")
    warmup: float = Field(0.05, ge=0, le=1, description="Share of the updates over which the rate rises from zero.")
    clip: float = Field(1.0, gt=0, description="Largest norm of the gradient; a larger one is scaled down.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW's decay. Adapters start at zero and need none.")
    compile: bool = Field(
        False, description="Compile the small functions between matrix products, which needs a C++ compiler and some "
        "seconds of warm-up. On the one CPU where this was measured it brought between -4 and +4 % of speed."
    )  # fmt: skip
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of the order of rows and of the adapter's start.")
    evaluate_every: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="Updates between two measurements on dev: by default three an epoch."
    )
    save_every: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="Updates between two checkpoints; one is also kept at every measurement on dev, and with "
        "auto whenever 60 seconds have passed. Never changes the result."
    )  # fmt: skip
    patience: int = Field(6, ge=1, description="Measurements on dev without a better one before training stops early.")
    on_nan: Literal["stop", "skip"] = Field(
        "stop", description="When a loss or gradient is NaN or infinite: stop and name the rows, or skip that update "
        "and say so in metrics.jsonl (four in a row stop all the same). The weights are never touched by it."
    )  # fmt: skip
