"""A LoRA adapter as peft's files hold it, from anybody: read as data, every size checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from burnish.adapt.methods import CONFIG, WEIGHTS, read_adapter
from burnish.core.errors import ModelError

_NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
# A key of alpha_pattern: a name, its dots perhaps escaped, with a few `.*`. Others may take for ever to match.
_PATTERN = re.compile(r"\^?(?:\w|\\[.\-]|\.\*|\.)+")
MOST_STARS = 3
AGAIN = "copy or save the adapter again"


@dataclass(frozen=True)
class Update:
    """W becomes W + scale · B A, with A (r, in) and B (out, r)."""

    a: Tensor
    b: Tensor
    scale: float


def read_config(folder: Path) -> dict[str, Any]:
    """adapter_config.json. Raises ModelError: it is absent or no mapping."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            "There is no adapter to read here.", where=str(path), seen=str(error)[:120], next_move=AGAIN
        ) from error
    if not isinstance(config, dict):
        raise ModelError(
            "An adapter's configuration is no mapping.", where=str(path), seen=str(config)[:60], next_move=AGAIN
        )
    return config


def read_lora(folder: Path) -> dict[str, Update]:
    """The update of every matrix, by transformers' name.

    Raises ModelError: files are absent or damaged, sizes do not fit each other, or it is more than plain LoRA.
    """
    config = read_config(folder)
    _check_plain(config, folder)
    halves: dict[str, dict[str, Tensor]] = {}
    for name, tensor in read_adapter(folder).items():
        match = _NAME.fullmatch(name)
        if match is None or tensor.dim() != 2 or not tensor.is_floating_point() or not tensor.isfinite().all():
            raise ModelError(
                "The adapter holds a tensor that is none of LoRA's.",
                where=str(folder / WEIGHTS),
                seen=f"{name}, {tuple(tensor.shape)}, {tensor.dtype}",
                next_move="use an adapter of A and B alone, with finite numbers",
            )
        halves.setdefault(match[1], {})[match[2]] = tensor.float()
    return {name: _update(name, pair, config, folder) for name, pair in sorted(halves.items())}


def _check_plain(config: Mapping[str, Any], folder: Path) -> None:
    """DoRA changes lengths, biases and whole modules are no products: none of them can be added up."""
    asked = {key: config.get(key) for key in ("use_dora", "fan_in_fan_out", "modules_to_save", "lora_bias")}
    odd = [f"{key}: {value}" for key, value in asked.items() if value]
    odd += [f"bias: {config['bias']}"] if config.get("bias", "none") != "none" else []
    if config.get("peft_type") != "LORA" or odd:
        raise ModelError(
            "Only plain LoRA adapters can be put together.",
            where=str(folder / CONFIG),
            seen=", ".join(odd) or f"peft_type: {config.get('peft_type')}",
            next_move="export this one as `merged` and train on top of that",
        )


def _update(name: str, pair: Mapping[str, Tensor], config: Mapping[str, Any], folder: Path) -> Update:
    if set(pair) != {"A", "B"} or pair["A"].shape[0] != pair["B"].shape[1] or not pair["A"].shape[0]:
        raise ModelError(
            "A and B of an adapter do not fit each other.",
            where=f"{folder / WEIGHTS}, {name}",
            seen=", ".join(f"{half} {tuple(tensor.shape)}" for half, tensor in sorted(pair.items())),
            next_move=AGAIN,
        )
    r = pair["A"].shape[0]
    alpha = _alpha(name, config, folder)
    return Update(pair["A"], pair["B"], alpha / math.sqrt(r) if config.get("use_rslora") else alpha / r)


def _alpha(name: str, config: Mapping[str, Any], folder: Path) -> float:
    """The first key of alpha_pattern that fits the end of the name, as peft does it; else lora_alpha."""
    patterns = config.get("alpha_pattern") or {}
    if not isinstance(patterns, dict) or not all(map(_is_name, patterns)):
        raise ModelError(
            "`alpha_pattern` is not made of names.",
            where=str(folder / CONFIG),
            seen=str(patterns)[:80],
            next_move="write each matrix by its name",
        )
    fits = (value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", name))
    alpha = next(fits, config.get("lora_alpha"))
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < math.inf:
        raise ModelError(
            "`lora_alpha` is no number above zero.", where=str(folder / CONFIG), seen=str(alpha), next_move=AGAIN
        )
    return float(alpha)


def _is_name(key: str) -> bool:
    return _PATTERN.fullmatch(key) is not None and key.count("*") <= MOST_STARS
