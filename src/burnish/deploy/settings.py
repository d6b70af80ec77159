"""Which forms of the specialist are written, and how much is asked of them before they count as the same model."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field, field_validator

from burnish.core.settings import Settings

Form: TypeAlias = Literal[
    "merged", "adapter", "adapter-gguf", "onnx",
    "gguf-f32", "gguf-f16", "gguf-bf16", "gguf-q8_0", "gguf-q5_1", "gguf-q5_0", "gguf-q4_1", "gguf-q4_0",
    "gguf-q6_k", "gguf-q5_k_m", "gguf-q4_k_m", "gguf-q3_k_m",
]  # fmt: skip
Engine: TypeAlias = Literal["burnish", "vllm"]
SHORT_NAMES = {"gguf": "gguf-f16"}


class ExportSettings(Settings):
    """`export: [merged, gguf]` is short for `export: {forms: [merged, gguf]}`."""

    # A folder for transformers and vLLM, and a file for llama.cpp and Ollama. q8_0 is half of f16 in size and in memory
    # read per token, which is what a CPU waits for, and its error is within what parity shows to be harmless.
    forms: tuple[Form, ...] = Field(
        ("merged", "gguf-q8_0"),
        description="merged: a transformers folder. adapter: the LoRA weights in peft's layout. adapter-gguf: the "
        "same for llama.cpp and Ollama, on the base's own GGUF file. gguf-f32, gguf-f16, gguf-bf16, gguf-q8_0, "
        "gguf-q5_1, gguf-q5_0, gguf-q4_1, gguf-q4_0: a file for llama.cpp and Ollama, 4, 2, 2, 1.1, 0.8, 0.7, 0.6 and "
        "0.6 bytes a weight. gguf is gguf-f16. gguf-q6_k, gguf-q5_k_m, gguf-q4_k_m, gguf-q3_k_m: the same by "
        "llama.cpp's own llama-quantize, where it is on the PATH. onnx: a folder for onnxruntime, 4 bytes a weight, by "
        "optimum in an environment of its own, which BURNISH_OPTIMUM names. "
        "An empty list exports nothing.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Number format of merged/. auto: the base's own; of a base in blocks float32, and bfloat16 where "
        "it has more than 2e9 parameters.",
    )
    shard_gb: float = Field(
        5.0,
        gt=0,
        le=1000,
        description="Largest weights file of merged/, in GB of 1e9 bytes; more go into several.",
    )
    engines: tuple[Engine, ...] = Field(
        ("burnish", "vllm"),
        description="Servers that merged and adapter are asked in besides transformers and peft: `burnish serve`, and "
        "vLLM where it is at hand.",
    )
    parity_prompts: int = Field(
        8, ge=1, le=200, description="How many prompts each form must answer as the trained model does."
    )
    parity_tokens: int = Field(
        64, ge=1, le=1024, description="Longest answer compared, in tokens; the recipe's own limit where that is less."
    )

    @field_validator("forms", mode="before")
    @classmethod
    def _full_names(cls, forms: Any) -> Any:
        """Spells short names out and drops what is named twice; anything else is left for the check of the type."""
        if not isinstance(forms, list | tuple):
            return forms
        spelt = [SHORT_NAMES.get(form, form) if isinstance(form, str) else form for form in forms]
        return tuple(form for index, form in enumerate(spelt) if form not in spelt[:index])
