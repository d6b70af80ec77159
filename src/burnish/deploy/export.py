"""The export stage: the specialist in the forms asked for, each held against the trained model before it is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from burnish.adapt.methods import learnt_tables, merged_tensors, without_rows
from burnish.core.errors import BurnishError, ParityError
from burnish.core.files import disk_errors, read_json, sha256_of_file, write_json, write_text
from burnish.core.records import Message
from burnish.core.run_folder import RunFolder
from burnish.deploy.adapter_form import FILE as ADAPTER_FILE
from burnish.deploy.adapter_form import adapter_gguf
from burnish.deploy.answers import decoder_score, reference_answers, scored_by
from burnish.deploy.checks import Question, check_adapter, check_gguf, check_merged, make_question, worst
from burnish.deploy.dense_merge import DENSE_BASE, Trained, check_dense_merge
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
from burnish.deploy.gguf_write import NumberFormat, write_gguf
from burnish.deploy.licence import stated_licence
from burnish.deploy.merged import DTYPE_NAMES, stored_dtype, write_model_folder
from burnish.deploy.ollama import modelfile
from burnish.deploy.parity import EXACT, LIMITS, Limits, not_checked
from burnish.deploy.settings import ExportSettings, Form
from burnish.model.checkpoint import Checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer

# Up to here a float32 GGUF is at most 4 GB and a minute's work: one is written, checked and deleted when only smaller
# formats are asked for. It tells a wrong name, order or scale from rounding, which the formats' own floors cannot.
EXACT_CHECK_PARAMETERS = 10**9
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
BASE_FOLDER = "base"
NO_ADAPTER = "not written: this method of training leaves no adapter"


@dataclass(frozen=True)
class _Work:
    """What the writing of every form needs. `out` is the folder that becomes export/ when all is done."""

    out: Path
    run: RunFolder
    checkpoint: Checkpoint
    tensors: Mapping[str, Tensor]
    decoder: Decoder
    renderer: Renderer
    question: Question
    say: Callable[[str], None]


def export(
    folder: RunFolder,
    settings: ExportSettings,
    *,
    checkpoint: Checkpoint,
    specialist: Decoder,
    renderer: Renderer,
    prompts: Sequence[Sequence[Message]],
    max_new_tokens: int,
    say: Callable[[str], None],
    trained: Trained | None = None,
) -> dict[str, Any]:
    """Writes export/ with the forms asked for and parity.json, which is returned. `specialist` computes in float32, on
    the dense base; `trained`: the network that it differs from, where training saw a base in fewer bits.

    A form that fails is not kept; the others are. Raises ParityError: a form failed. Raises ModelError: the model has
    no GGUF form. Raises BurnishError: there are no prompts.
    """
    if not prompts:
        raise BurnishError("There are no prompts to compare answers on.", next_move="give the data a test part")
    limit = min(max_new_tokens, settings.parity_tokens)
    asked = prompts[: settings.parity_prompts]
    question = _question(checkpoint, specialist, renderer, asked, limit, "adapter-gguf" in settings.forms, say)
    out = folder.path / f"export.tmp-{os.getpid()}"
    with disk_errors(folder.path):
        for left_over in folder.path.glob("export.tmp-*"):
            shutil.rmtree(left_over)
        out.mkdir()
    tensors = merged_tensors(specialist) if set(settings.forms) != {"adapter"} else {}
    work = _Work(out, folder, checkpoint, tensors, specialist, renderer, question, say)
    try:
        merge = None if trained is None else check_dense_merge(trained, specialist, question, say)
        record = _record(work, settings, _forms(work, settings.forms, merge)) | {"files": _files(out)}
        if merge is not None:
            record["dense_merge"] = merge
        write_json(out / "parity.json", record)
        _put_in_place(out, folder.export)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    _raise_for(record, folder)
    return record


def _question(
    checkpoint: Checkpoint,
    specialist: Decoder,
    renderer: Renderer,
    conversations: Sequence[Sequence[Message]],
    limit: int,
    base_too: bool,
    say: Callable[[str], None],
) -> Question:
    """The trained model's answers, how likely the base finds them, and with `base_too` what it answers itself."""
    say(f"Asking the trained model {len(conversations)} prompts")
    ids = [renderer.prompt(messages) for messages in conversations]
    answers = reference_answers(specialist, ids, renderer.stop_ids, limit)
    base = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=specialist.device)
    scored = scored_by(answers, decoder_score(base))
    own = reference_answers(base, ids, renderer.stop_ids, limit) if base_too else ()
    return make_question(renderer, conversations, answers, scored, limit, own)


def _forms(work: _Work, forms: Sequence[Form], merge: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Writes and checks each form; a file that fails is deleted. Adapters stay apart from whatever they go on; all else
    fails with the merge into the dense base."""
    found: dict[str, dict[str, Any]] = {}
    if "merged" in forms:
        found["merged"] = _merged(work)
    if "adapter" in forms:
        found["adapter"] = _adapter(work)
    if "adapter-gguf" in forms:
        found["adapter-gguf"] = _adapter_gguf(work)
    formats = [cast(NumberFormat, form.removeprefix("gguf-")) for form in forms if form.startswith("gguf-")]
    if formats:
        found |= _ggufs(work, formats)
    if merge is not None:
        found = {n: one if "adapter" in n else worst(one, merge, DENSE_BASE) for n, one in found.items()}
    for name, result in found.items():
        work.say(f"{name}: {result['status']}{': ' if result['why'] else ''}{result['why']}")
        if result["status"] == "failed":
            _delete(work.out / result["file"])
    kept = [f"gguf-{one}" for one in formats if found[f"gguf-{one}"]["status"] != "failed"]
    if kept:
        text = modelfile(found[kept[0]]["file"], work.renderer, work.decoder.config.context)
        write_text(work.out / "Modelfile", text)
    if work.checkpoint.path.is_file() and found.get("adapter-gguf", {}).get("status", "failed") != "failed":
        text = modelfile(str(work.checkpoint.path), work.renderer, work.decoder.config.context, adapter=ADAPTER_FILE)
        write_text(work.out / ("Modelfile.adapter" if kept else "Modelfile"), text)
    return found


def _merged(work: _Work) -> dict[str, Any]:
    dtype = stored_dtype(work.checkpoint)
    ahead = {} if dtype is torch.float32 else _forecast(work, "merged", DTYPE_NAMES[dtype], float_grid(dtype))
    work.say(f"Writing merged/ in {DTYPE_NAMES[dtype]}")
    _write_folder(work, work.out / "merged", work.tensors, dtype)
    found = check_merged(work.out / "merged", work.tensors, DTYPE_NAMES[dtype], work.question)
    return {"file": "merged", "dtype": DTYPE_NAMES[dtype], "engine": "transformers", **ahead, **found}


def _adapter(work: _Work) -> dict[str, Any]:
    """Copies the adapter. One trained on a GGUF or with new tokens also gets its base as a folder, which is what
    peft can load."""
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
    return {"file": "adapter", "base": base.name, "engine": "peft", **found}


def _adapter_gguf(work: _Work) -> dict[str, Any]:
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


def _adapter_base(work: _Work) -> tuple[Path, Limits]:
    """The folder that the adapter goes on, and how exactly it holds what the adapter was trained on. With new tokens it
    is written with their rows as they were learnt: then the adapter is a plain one, which every server reads."""
    if work.checkpoint.path.is_dir() and not work.checkpoint.new_ids:
        return work.checkpoint.path, EXACT
    dtype = stored_dtype(work.checkpoint)
    tensors = {**work.checkpoint.tensors, **learnt_tables(work.decoder)}
    _write_folder(work, work.out / BASE_FOLDER, tensors, dtype)
    rounded = any(t.dtype not in (dtype, torch.float32) for t in work.checkpoint.tensors.values())
    return work.out / BASE_FOLDER, LIMITS[DTYPE_NAMES[dtype]] if rounded or dtype is not torch.float32 else EXACT


def _forecast(work: _Work, form: str, grid_name: str, grid: Grid) -> dict[str, Any]:
    """What rounding will take of the update, said before anything is written."""
    seen = forecast(work.checkpoint.tensors, work.tensors, grid)
    if seen is None:
        return {}
    work.say(seen.text(form, grid_name))
    return {"forecast": asdict(seen)}


def _surviving(work: _Work, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
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


def _ggufs(work: _Work, formats: Sequence[NumberFormat]) -> dict[str, dict[str, Any]]:
    found = {f"gguf-{one}": _gguf(work, one) for one in formats}
    parameters = sum(tensor.numel() for tensor in work.tensors.values())
    if parameters <= EXACT_CHECK_PARAMETERS:
        found = _surviving(work, found)
    if "f32" in formats:
        exact = found["gguf-f32"]
    elif parameters <= EXACT_CHECK_PARAMETERS:
        exact = _gguf(work, "f32")
        _delete(work.out / exact["file"])
    else:
        exact = not_checked(
            f"{parameters / 1e9:.1f}e9 parameters: export gguf-f32 to have the conversion checked exactly"
        )
    return {
        name: worst(result, exact, "in float32") | ({"before_rounding": exact} if name != "gguf-f32" else {})
        for name, result in found.items()
    }


def _gguf(work: _Work, number_format: NumberFormat) -> dict[str, Any]:
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
    limits = EXACT if number_format == "f32" else LIMITS["float16" if number_format == "f16" else number_format]
    return {"file": name, **ahead, **check_gguf(work.out / name, limits, work.question)}


def _write_folder(work: _Work, folder: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    write_model_folder(
        folder,
        work.checkpoint.config,
        tensors,
        work.renderer.tokenizer,
        template=work.renderer.template,
        generation=work.checkpoint.generation,
        stop_ids=work.renderer.stop_ids,
        dtype=dtype,
    )


def _record(work: _Work, settings: ExportSettings, forms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    question, base = work.question, work.checkpoint.path
    states = {result["status"] for result in forms.values()}
    status = "failed" if "failed" in states else "incomplete" if "not checked" in states else "passed"
    return {
        "status": status,
        "base": {"name": base.name, "licence": stated_licence(base)},
        "reference": "the trained model in float32, greedy",
        "prompts": len(question.answers),
        "tokens": sum(len(answer.tokens) for answer in question.answers),
        "longest_answer": question.max_new_tokens,
        "forms_asked_for": list(settings.forms),
        "forms": forms,
    }


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and hash of every file, so that what was checked can be told from what was changed later."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)} for path in paths
    }


def _put_in_place(out: Path, target: Path) -> None:
    """The new folder takes the place of an older one in two renames: there is never half of one."""
    old = target.with_name(f"export.tmp-old-{os.getpid()}")
    with disk_errors(target):
        if target.exists():
            target.rename(old)
        out.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _raise_for(record: Mapping[str, Any], folder: RunFolder) -> None:
    failed = {name: form["why"] for name, form in record["forms"].items() if form["status"] == "failed"}
    if failed:
        raise ParityError(
            f"Not kept, for it does not answer as the trained model does: {', '.join(failed)}.",
            where=str(folder.parity),
            seen="; ".join(f"{name}: {why}" for name, why in failed.items()),
            next_move="forms that passed are in export/; where rounding is the reason, export a wider format",
        )
