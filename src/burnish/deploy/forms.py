"""Writes each form of the specialist and has it checked: a transformers folder, adapters, GGUF files, ONNX."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from burnish.adapt.methods import learnt_tables, without_rows
from burnish.core.files import disk_errors, read_json, write_json
from burnish.core.run_folder import RunFolder
from burnish.deploy.adapter_form import FILE as ADAPTER_FILE
from burnish.deploy.adapter_form import adapter_gguf
from burnish.deploy.checks import Question, check_adapter, check_gguf, check_merged, in_engines, worst
from burnish.deploy.dense_merge import DENSE_BASE
from burnish.deploy.forecast import (
    Grid,
    float_grid,
    forecast,
    gguf_grid,
    listed_logprobs,
    rounded,
    survived,
    with_survival,
)
from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors
from burnish.deploy.gguf_write import TYPES, NumberFormat, write_gguf
from burnish.deploy.k_quants import K_FORMATS, KFormat, quantise
from burnish.deploy.merged import DTYPE_NAMES, copy_terms, dtype_named, stored_dtype, write_model_folder
from burnish.deploy.onnx import onnx_form
from burnish.deploy.optimum import FORM as ONNX
from burnish.deploy.parity import EXACT, LIMITS, Limits, not_checked
from burnish.deploy.settings import ExportSettings
from burnish.model.checkpoint import Checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer

# Up to here a float32 GGUF is at most 4 GB and a minute's work: one is written, checked and deleted when only smaller
# formats are asked for. It tells a wrong name, order or scale from rounding, which the formats' own floors cannot.
EXACT_CHECK_PARAMETERS = 10**9
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
BASE_FOLDER = "base"
FLOAT32_FILE = "model-f32.gguf"
FLOATS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}  # the formats of GGUF that have a name elsewhere
NO_ADAPTER = "not written: this method of training leaves no adapter"


@dataclass(frozen=True)
class Work:
    """What the writing of every form needs. `out` is the folder that becomes export/ when all is done."""

    out: Path
    run: RunFolder
    settings: ExportSettings
    checkpoint: Checkpoint
    tensors: Mapping[str, Tensor]
    decoder: Decoder
    renderer: Renderer
    question: Question
    say: Callable[[str], None]


def write_forms(work: Work, merge: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Writes and checks each form; a file that fails is deleted. Adapters stay apart from whatever they go on; all else
    fails with the merge into the dense base."""
    forms = work.settings.forms
    found: dict[str, dict[str, Any]] = {}
    if "merged" in forms:
        found["merged"] = _merged(work)
    if "adapter" in forms:
        found["adapter"] = _adapter(work)
    if "adapter-gguf" in forms:
        found["adapter-gguf"] = _adapter_gguf(work)
    if any(form.startswith("gguf-") for form in forms):
        found |= _ggufs(work, [form.removeprefix("gguf-") for form in forms if form.startswith("gguf-")])
    if ONNX in forms:
        work.say("Writing onnx/ by optimum")
        found[ONNX] = _onnx(work)
    if merge is not None:
        found = {n: one if "adapter" in n else worst(one, merge, DENSE_BASE) for n, one in found.items()}
    for name, result in found.items():
        work.say(f"{name}: {result['status']}{': ' if result['why'] else ''}{result['why']}")
        if result["status"] == "failed":
            _delete(work.out / result["file"])
    return found


def _merged(work: Work) -> dict[str, Any]:
    dtype = dtype_named(work.settings.dtype, work.checkpoint)
    ahead = {} if dtype is torch.float32 else _forecast(work, "merged", DTYPE_NAMES[dtype], float_grid(dtype))
    work.say(f"Writing merged/ in {DTYPE_NAMES[dtype]}")
    _write_folder(work, work.out / "merged", work.tensors, dtype)
    copy_terms(work.checkpoint.path, work.out / "merged")
    found = check_merged(work.out / "merged", work.tensors, DTYPE_NAMES[dtype], work.question)
    limits = LIMITS[DTYPE_NAMES[dtype]]
    found = in_engines(found, work.settings.engines, work.out / "merged", limits, work.question)
    return {"file": "merged", "dtype": DTYPE_NAMES[dtype], "engine": "transformers", **ahead, **found}


def _adapter(work: Work) -> dict[str, Any]:
    """Copies the adapter. One trained on a GGUF, on stacked matrices or with new tokens also gets its base as a folder,
    which is what peft can load."""
    if not (work.run.adapter / "adapter_config.json").is_file():
        return {"file": "adapter", **not_checked(NO_ADAPTER)}
    work.say("Copying adapter/")
    with disk_errors(work.out):
        (work.out / "adapter").mkdir()
        for name in ADAPTER_FILES:
            shutil.copyfile(work.run.adapter / name, work.out / "adapter" / name)
    if work.checkpoint.new_ids:
        without_rows(work.out / "adapter")  # the base beside it has them
    kind = read_json(work.out / "adapter" / "adapter_config.json").get("peft_type", "")
    if kind.startswith("BURNISH_"):
        return {"file": "adapter", **not_checked("peft does not have this method: only Burnish reads the adapter")}
    base, limits = _adapter_base(work)
    if base.parent == work.out:
        config = read_json(work.out / "adapter" / "adapter_config.json")
        write_json(
            work.out / "adapter" / "adapter_config.json", {**config, "base_model_name_or_path": f"../{base.name}"}
        )
    found = check_adapter(base, work.out / "adapter", limits, work.question)
    found = in_engines(found, work.settings.engines, base, limits, work.question, work.out / "adapter")
    return {"file": "adapter", "base": base.name, "engine": "peft", **found}


def _adapter_gguf(work: Work) -> dict[str, Any]:
    if not (work.run.adapter / "adapter_config.json").is_file():
        return {"file": ADAPTER_FILE, **not_checked(NO_ADAPTER)}
    work.say(f"Writing {ADAPTER_FILE}")
    return adapter_gguf(
        work.out,
        work.run.adapter,
        work.checkpoint,
        work.decoder.config,
        work.renderer,
        work.question,
        name=work.run.name,
        exact_check=sum(tensor.numel() for tensor in work.tensors.values()) <= EXACT_CHECK_PARAMETERS,
    )


def _adapter_base(work: Work) -> tuple[Path, Limits]:
    """The folder that the adapter goes on, and how exactly it holds what the adapter was trained on. With new tokens it
    is written with their rows as they were learnt: then the adapter is a plain one, which every server reads."""
    if work.checkpoint.path.is_dir() and work.checkpoint.as_stored and not work.checkpoint.new_ids:
        return work.checkpoint.path, EXACT
    dtype = stored_dtype(work.checkpoint)
    tensors = {**work.checkpoint.tensors, **learnt_tables(work.decoder)}
    _write_folder(work, work.out / BASE_FOLDER, tensors, dtype)
    rounded = any(t.dtype not in (dtype, torch.float32) for t in work.checkpoint.tensors.values())
    return work.out / BASE_FOLDER, LIMITS[DTYPE_NAMES[dtype]] if rounded or dtype is not torch.float32 else EXACT


def _onnx(work: Work) -> dict[str, Any]:
    return onnx_form(
        work.out,
        lambda folder: _write_folder(work, folder, work.tensors, torch.float32),
        work.checkpoint.path,
        work.question,
    )


def _forecast(work: Work, form: str, grid_name: str, grid: Grid) -> dict[str, Any]:
    """What rounding will take of the update, said before anything is written."""
    seen = forecast(work.checkpoint.tensors, work.tensors, grid)
    if seen is None:
        return {}
    work.say(seen.text(form, grid_name))
    return {"forecast": asdict(seen)}


def _surviving(work: Work, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each quantised form with the share of the tuned effect that its rounding left, in our own decoder."""
    before = work.checkpoint.tensors
    quantised = [name for name in found if name.startswith("gguf-q")]
    alike = all(name in before and before[name].shape == tensor.shape for name, tensor in work.tensors.items())
    if not quantised or not alike:  # new tokens have no place before
        return found

    def listed(tensors: Mapping[str, Tensor]) -> Tensor:
        device = work.decoder.device
        decoder = build_decoder(work.checkpoint.config, tensors, dtype=torch.float32, device=device)
        return listed_logprobs(decoder, work.question.answers)

    effect = listed_logprobs(work.decoder, work.question.answers) - listed(before)
    result = dict(found)
    for name in quantised:
        number_format = cast(NumberFormat, name.removeprefix("gguf-"))
        grid = gguf_grid(number_format, work.decoder.config.model_type)
        seen = survived(effect, listed(rounded(work.tensors, grid)) - listed(rounded(before, grid)))
        work.say(f"{name}: {seen.text()}")
        result[name] = with_survival(found[name], seen, LIMITS[number_format])
    return result


def _ggufs(work: Work, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """All GGUF files. A float32 one is written even where nobody asked for it: what is rounded fails with it, and
    K-quants are made of it."""
    formats: list[NumberFormat] = [one for one in wanted if one in TYPES]
    of_float32 = [one for one in K_FORMATS if one in wanted]
    found = {f"gguf-{one}": _gguf(work, one) for one in formats}
    parameters = sum(tensor.numel() for tensor in work.tensors.values())
    small = parameters <= EXACT_CHECK_PARAMETERS
    if small:
        found = _surviving(work, found)
    if "f32" in formats:
        exact = found["gguf-f32"]
    elif small or of_float32:
        exact = _gguf(work, "f32")
    else:
        exact = not_checked(
            f"{parameters / 1e9:.1f}e9 parameters: export gguf-f32 to have the conversion checked exactly"
        )
    found |= {f"gguf-{one}": _k_quant(work, one) for one in of_float32}
    if "f32" not in formats:
        _delete(work.out / FLOAT32_FILE)
    return {
        name: worst(result, exact, "in float32") | ({"before_rounding": exact} if name != "gguf-f32" else {})
        for name, result in found.items()
    }


def _k_quant(work: Work, number_format: KFormat) -> dict[str, Any]:
    name = f"model-{number_format}.gguf"
    work.say(f"Writing {name}")
    quantise(work.out / FLOAT32_FILE, work.out / name, number_format)
    return {"file": name, **check_gguf(work.out / name, LIMITS[number_format], work.question)}


def _gguf(work: Work, number_format: NumberFormat) -> dict[str, Any]:
    name = f"model-{number_format}.gguf"
    config = work.decoder.config
    grid = gguf_grid(number_format, config.model_type)
    ahead = {} if number_format == "f32" else _forecast(work, f"gguf-{number_format}", number_format, grid)
    work.say(f"Writing {name}")
    metadata = model_metadata(
        work.checkpoint,
        config,
        name=work.run.name,
        template=work.renderer.template,
        stop_ids=work.renderer.stop_ids,
    )
    write_gguf(work.out / name, metadata, work.tensors, config, number_format, rotary_divisors(config))
    limits = LIMITS[FLOATS.get(number_format, number_format)]
    return {"file": name, **ahead, **check_gguf(work.out / name, limits, work.question)}


def _write_folder(work: Work, folder: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    write_model_folder(
        folder,
        work.checkpoint.config,
        tensors,
        work.renderer.tokenizer,
        template=work.renderer.template,
        generation=work.checkpoint.generation,
        stop_ids=work.renderer.stop_ids,
        dtype=dtype,
        shard_bytes=int(work.settings.shard_gb * 1e9),
    )


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
