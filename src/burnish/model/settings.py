"""Which model, and in which number format it computes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from burnish.core.settings import Settings

WeightsForm: TypeAlias = Literal["dense", "stored", "nf4", "fp4", "int8"]


class ModelSettings(Settings):
    """`model: smollm2-135m` is short for `model: {name: smollm2-135m}`."""

    name: str = Field(description="A bundled name, a folder, a .gguf file or a hub id such as `org/name`.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the frozen weights and of the matrix products; auto is bfloat16 where "
        "the machine multiplies it faster than float32. What trains is always kept in float32."
    )  # fmt: skip
    weights: WeightsForm = Field(
        "dense", description="How the frozen weights lie in memory while an adapter trains. dense: in `dtype`. stored: "
        "in the blocks of the GGUF file, unpacked at each use: less memory, somewhat slower, the same values. nf4 or "
        "fp4: the layers' matrices rounded to 4.13 bits a weight by bitsandbytes (extra `quant`); nf4 loses less. "
        "int8: rounded to 8 bits."
    )  # fmt: skip
    context: int | None = Field(
        None, ge=16, description="Longest row in tokens; by default what the model was made for, at most 2,048."
    )
    new_tokens: tuple[str, ...] = Field(
        (),
        description="Words that become one token each, such as `<sku>`, and are learnt beside any method. They begin "
        "as the mean of all tokens, which changes least of what the model says.",
    )


DEFAULT_CONTEXT = 2048  # longer rows are rare in fine-tuning data and cost memory; ask for them with `context`
