"""Which model, and in which number format it computes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from burnish.core.settings import Settings


class ModelSettings(Settings):
    """`model: smollm2-135m` is short for `model: {name: smollm2-135m}`."""

    name: str = Field(description="A bundled name, a folder, a .gguf file or a hub id such as `org/name`.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the frozen weights and of the matrix products; auto is bfloat16 where "
        "the machine multiplies it faster than float32. What trains is always kept in float32."
    )  # fmt: skip
    weights: Literal["dense", "nf4", "fp4", "int8"] = Field(
        "dense", description="How the frozen matrices of the layers are kept in memory: dense, in `dtype`; nf4 or fp4, "
        "4.13 bits a weight through bitsandbytes (extra `quant`; nf4 loses less); int8, 8 bits a weight. Training, "
        "evaluation and chat all use that base; the adapter goes on the original one too."
    )  # fmt: skip
    context: int | None = Field(
        None, ge=16, description="Longest row in tokens; by default what the model was made for, at most 2,048."
    )


DEFAULT_CONTEXT = 2048  # longer rows are rare in fine-tuning data and cost memory; ask for them with `context`
