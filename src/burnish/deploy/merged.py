"""The specialist as a transformers folder: what transformers, vLLM and every converter read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from gguf.constants import GGMLQuantizationType
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from burnish.core.files import disk_errors, write_json, write_text
from burnish.model.checkpoint import Checkpoint
from burnish.model.gguf_file import read_gguf

WIDE_PARAMETERS = 2 * 10**9  # up to here float32 is at most 8 GB, and the folder holds exactly what was trained
SHARD_BYTES = 5 * 10**9
TERMS = re.compile(r"(LICEN[SC]E|NOTICE|USE_POLICY)[\w.-]*", re.IGNORECASE)  # what must go along with the weights
DTYPE_NAMES = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}
# Verdict and parity were measured with greedy decoding; a sampling rule of the base is not handed on.
SAMPLING = ("temperature", "top_p", "top_k", "min_p", "typical_p", "repetition_penalty", "penalty_alpha")


def dtype_named(wanted: str, checkpoint: Checkpoint) -> torch.dtype:
    """The one that the settings name; for "auto" the base's own."""
    names = {name: dtype for dtype, name in DTYPE_NAMES.items()}
    return names[wanted] if wanted in names else stored_dtype(checkpoint)


def copy_terms(base: Path, folder: Path) -> None:
    """Copies the texts of licence and notice that lie beside the base's weights."""
    if not base.is_dir():
        return
    with disk_errors(folder):
        for path in sorted(base.iterdir()):
            if TERMS.fullmatch(path.name) and path.is_file():
                shutil.copyfile(path, folder / path.name)


def stored_dtype(checkpoint: Checkpoint) -> torch.dtype:
    """The number format of the merged weights: that of the base's matrices, where it is a float format.

    A quantised base has none: its weights fit no 16-bit format exactly, so they are float32 in a small model and
    bfloat16 in one of more than 2e9 parameters.
    """
    matrices = {name: tensor for name, tensor in checkpoint.tensors.items() if tensor.dim() > 1}
    parameters = sum(tensor.numel() for tensor in matrices.values())
    if not _is_quantised(checkpoint.path):
        sizes: dict[torch.dtype, int] = {}
        for tensor in matrices.values():
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.numel()
        most = max(sizes, key=lambda dtype: sizes[dtype])
        return most if most in DTYPE_NAMES else torch.float32
    return torch.float32 if parameters <= WIDE_PARAMETERS else torch.bfloat16


def _is_quantised(path: Path) -> bool:
    floats = {GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16}
    return path.is_file() and any(tensor.type not in floats for tensor in read_gguf(path).tensors.values())


def write_model_folder(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    tokenizer: PreTrainedTokenizerFast,
    *,
    template: str,
    generation: Mapping[str, Any],
    stop_ids: Iterable[int],
    dtype: torch.dtype,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Writes config, weights, tokenizer, template and stop tokens, so that plain transformers needs nothing else."""
    with disk_errors(folder):
        folder.mkdir(parents=True)
        own = {key: value for key, value in config.items() if key not in ("_name_or_path", "quantization_config")}
        kind = DTYPE_NAMES[dtype]
        tied = "lm_head.weight" not in tensors
        write_json(folder / "config.json", {**own, "tie_word_embeddings": tied, "dtype": kind, "torch_dtype": kind})
        write_json(folder / "generation_config.json", generation_config(generation, stop_ids))
        _write_tensors(
            folder, {name: tensor.to("cpu", dtype).contiguous() for name, tensor in tensors.items()}, shard_bytes
        )
        tokenizer.save_pretrained(folder)
        write_text(folder / "chat_template.jinja", template)  # also where the base came without one


def generation_config(generation: Mapping[str, Any], stop_ids: Iterable[int]) -> dict[str, Any]:
    """Greedy, and stopping at every token that ends an answer."""
    kept = {key: value for key, value in generation.items() if key not in SAMPLING}
    return {**kept, "do_sample": False, "eos_token_id": sorted(stop_ids)}


def _write_tensors(folder: Path, tensors: dict[str, Tensor], shard_bytes: int) -> None:
    """One file, or several of at most so many bytes with an index; a larger tensor has a file of its own."""
    plan = split_torch_state_dict_into_shards(
        tensors, max_shard_size=shard_bytes, filename_pattern="model{suffix}.safetensors"
    )
    for name, members in plan.filename_to_tensors.items():
        save_file({member: tensors[member] for member in members}, folder / name, metadata={"format": "pt"})
    if plan.is_sharded:
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        write_json(folder / "model.safetensors.index.json", index)
