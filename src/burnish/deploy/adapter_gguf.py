"""A LoRA adapter in peft's layout → one file that llama.cpp puts on a GGUF of the same base, and back.

llama.cpp adds (alpha / r) · B (A x) to a product, with one alpha for the file and the r of each tensor. So alpha is
that of most matrices, and what another one scales by differently is worked into its B. In the llama family the rows of
q and k have another order there, and with them those of B. What this form cannot say is refused.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFWriter
from gguf.constants import GGMLQuantizationType, GGUFValueType
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from burnish.core.errors import ModelError
from burnish.core.files import disk_errors, read_json
from burnish.deploy.gguf_write import Value
from burnish.model.config import DecoderConfig
from burnish.model.decoder import Decoder
from burnish.model.fetching import nothing_fetched
from burnish.model.gguf_file import GGUFFile, read_gguf
from burnish.model.gguf_inverse import ARCHITECTURES, NAMED_ALIKE, gguf_name, to_gguf
from burnish.model.gguf_model import row_order, transformers_name

PREFIX = "base_model.model."
ENDS = {"lora_A.weight": "lora_a", "lora_B.weight": "lora_b"}
FLOATS = (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16)
ANOTHER_FORM = "export gguf-f16 or merged instead, where it is worked into the weights"
STRING, FLOAT32 = GGUFValueType.STRING, GGUFValueType.FLOAT32


def write_adapter_gguf(
    path: Path, adapter: Path, config: DecoderConfig, *, name: str, base: str, base_sha256: str
) -> None:
    """`adapter` is a folder in peft's layout; `base` and its hash are kept in the file to tell what it belongs on.

    Raises ModelError: the folder cannot be read, or holds what this form cannot say.
    """
    options = read_json(adapter / "adapter_config.json")
    pairs = _pairs(adapter / "adapter_model.safetensors", options)
    shapes = _shapes(config)
    for module, (a, b) in pairs.items():
        if (len(b), a.shape[1]) != shapes.get(module):
            raise ModelError("The adapter does not fit this base.", where=str(adapter), seen=module)
    scales = {module: _scale(module, a, options) for module, (a, _) in pairs.items()}
    alpha = Counter(scales[module] * len(a) for module, (a, _) in pairs.items()).most_common(1)[0][0]
    metadata = {
        "general.type": Value("adapter", STRING),
        "general.name": Value(name, STRING),
        "general.base_model.count": Value(1, GGUFValueType.UINT32),
        "general.base_model.0.name": Value(base, STRING),
        "burnish.base_sha256": Value(base_sha256, STRING),
        "adapter.type": Value("lora", STRING),
        "adapter.lora.alpha": Value(alpha, FLOAT32),
    }
    tensors: dict[str, np.ndarray[Any, np.dtype[Any]]] = {}
    for module, (a, b) in pairs.items():
        place = gguf_name(f"{module}.weight", config.model_type)
        more = scales[module] * len(a) / alpha
        tensors[f"{place}.lora_a"] = a.float().numpy()
        tensors[f"{place}.lora_b"] = to_gguf(b.float() * more, f"{module}.weight", config).contiguous().numpy()
    _write(path, ARCHITECTURES[config.model_type], metadata, tensors)


def _write(
    path: Path, architecture: str, metadata: Mapping[str, Value], tensors: Mapping[str, np.ndarray[Any, np.dtype[Any]]]
) -> None:
    writer = GGUFWriter(None, architecture)
    for key, value in metadata.items():
        writer.add_key_value(key, value.value, value.kind)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    with disk_errors(path):
        writer.write_header_to_file(path)
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _pairs(path: Path, options: Mapping[str, Any]) -> dict[str, tuple[Tensor, Tensor]]:
    """The name of each matrix, such as `model.layers.0.mlp.up_proj`, with its A (r, in) and B (out, r)."""
    _refuse_kinds(path, options)
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError("The adapter cannot be read.", where=str(path), seen=str(error)[:120]) from error
    sides: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        end = next((end for end in ENDS if name.endswith(f".{end}")), None)
        module = name.removeprefix(PREFIX).removesuffix(f".{end}")
        if end is None or "embed_tokens" in module:
            raise _cannot(path, f"the tensor {name}")
        sides.setdefault(module, {})[end] = tensor
    for module, pair in sides.items():
        a, b = pair.get("lora_A.weight"), pair.get("lora_B.weight")
        if a is None or b is None or a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:
            raise ModelError("A and B of the adapter do not fit each other.", where=str(path), seen=module)
    if not sides:
        raise ModelError("The adapter holds no matrix.", where=str(path), next_move="train it again")
    return {module: (pair["lora_A.weight"], pair["lora_B.weight"]) for module, pair in sorted(sides.items())}


def _refuse_kinds(path: Path, options: Mapping[str, Any]) -> None:
    kind = str(options.get("peft_type", "")).upper()
    if kind != "LORA":
        raise _cannot(path, f"an adapter of type {kind or 'unknown'}")
    if options.get("use_dora"):
        raise _cannot(path, "DoRA, whose size of each row depends on the base's weights,")
    if options.get("bias", "none") != "none":
        raise _cannot(path, "trained biases")


def _cannot(path: Path, what: str) -> ModelError:
    return ModelError(
        f"llama.cpp's adapters cannot hold {what}.".replace(",.", "."), where=str(path), next_move=ANOTHER_FORM
    )


def _scale(module: str, a: Tensor, options: Mapping[str, Any]) -> float:
    """What B A counts: alpha / r, with rsLoRA alpha / sqrt(r) (arXiv 2312.03732); alpha of this matrix, r that of A."""
    with nothing_fetched():
        from peft.utils.other import get_pattern_key

    own = options.get("alpha_pattern") or {}
    alpha = float(own.get(get_pattern_key(own.keys(), module), options["lora_alpha"]))
    return alpha / (math.sqrt(len(a)) if options.get("use_rslora") else len(a))


def read_adapter_gguf(path: Path, config: DecoderConfig) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse: tensors under peft's names, and what adapter_config.json says. `config` is that of the base.

    Raises ModelError: the file is no LoRA adapter, is damaged, or does not belong on this base.
    """
    file = read_gguf(path)
    alpha = _checked_alpha(file, config)
    tensors: dict[str, Tensor] = {}
    ranks: dict[str, int] = {}
    shapes = _shapes(config)
    for name in file.tensors:
        stem, _, end = name.rpartition(".")
        if end not in ENDS.values() or not {f"{stem}.lora_a", f"{stem}.lora_b"} <= file.tensors.keys():
            raise _unfit(file, f"{name} has no place in an adapter or no other half")
        weight = transformers_name(stem, NAMED_ALIKE.get(config.model_type, config.model_type))
        module = weight.removesuffix(".weight")
        if module not in shapes or module == "model.embed_tokens":
            raise _unfit(file, f"{name} belongs to no matrix of this model")
        value = _values(file, name)
        if end == "lora_a":
            ranks[module] = len(value)
        else:
            if len(value) != shapes[module][0]:
                raise _unfit(file, f"{name} has another height than its matrix")
            value = row_order(value, weight, _heads(config))
        tensors[f"{PREFIX}{module}.{'lora_A' if end == 'lora_a' else 'lora_B'}.weight"] = value
    for module, r in ranks.items():
        a, b = (tensors[f"{PREFIX}{module}.lora_{side}.weight"] for side in "AB")
        if b.shape[1] != r or (len(b), a.shape[1]) != shapes[module]:
            raise _unfit(file, f"A and B of {module} do not fit each other or the base")
    return tensors, _options(file, ranks, alpha)


def _checked_alpha(file: GGUFFile, config: DecoderConfig) -> float:
    values = file.metadata
    wanted = {
        "general.type": "adapter",
        "adapter.type": "lora",
        "general.architecture": ARCHITECTURES[config.model_type],
    }
    for key, value in wanted.items():
        if values.get(key) != value:
            raise _unfit(file, f"{key} is {str(values.get(key))[:40]!r} instead of {value!r}")
    alpha = values.get("adapter.lora.alpha")
    if not isinstance(alpha, float) or not math.isfinite(alpha) or alpha <= 0:
        raise _unfit(file, f"adapter.lora.alpha is {str(alpha)[:40]}")
    return alpha


def _values(file: GGUFFile, name: str) -> Tensor:
    stored = file.tensors[name]
    if stored.type not in FLOATS or len(stored.shape) != 2:
        raise _unfit(file, f"{name} is no matrix of floats: {stored.type.name} {stored.shape}")
    values = torch.from_numpy(file.array(name).astype(np.float32))
    if not torch.isfinite(values).all():
        raise _unfit(file, f"{name} holds NaN or infinity")
    return values


def _shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    """(out, in) of every matrix in the layers, by the name of its module."""
    with torch.device("meta"):
        weights = dict(Decoder(config).named_parameters())
    return {name.removesuffix(".weight"): tuple(weight.shape) for name, weight in weights.items() if weight.ndim == 2}


def _heads(config: DecoderConfig) -> dict[str, Any]:
    """As the row order asks for them: by the name of the architecture in GGUF, where Mistral is a llama."""
    return {
        "model_type": ARCHITECTURES[config.model_type],
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
    }


def _options(file: GGUFFile, ranks: Mapping[str, int], alpha: float) -> dict[str, Any]:
    if not ranks:
        raise _unfit(file, "it holds no matrix")
    r = Counter(ranks.values()).most_common(1)[0][0]
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(file.metadata.get("general.base_model.0.name", "")),
        "r": r,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "rank_pattern": {module: own for module, own in ranks.items() if own != r},
        "target_modules": sorted({module.rpartition(".")[2] for module in ranks}),
        "inference_mode": True,
    }


def _unfit(file: GGUFFile, seen: str) -> ModelError:
    return ModelError(
        "This is no llama.cpp LoRA adapter for this base.",
        where=str(file.path),
        seen=seen,
        next_move="name the adapter that was made for this model",
    )
