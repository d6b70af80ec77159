"""The export stage: the specialist in the forms asked for, each held against the trained model before it is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from burnish.adapt.methods import merged_tensors
from burnish.core.errors import BurnishError, ParityError
from burnish.core.files import disk_errors, write_json, write_text
from burnish.core.records import Message
from burnish.core.run_folder import RunFolder
from burnish.deploy.answers import decoder_score, reference_answers, scored_by
from burnish.deploy.card import card_text, short_card
from burnish.deploy.checks import Question, make_question
from burnish.deploy.dense_merge import Trained, check_dense_merge
from burnish.deploy.forms import Work, write_forms
from burnish.deploy.k_quants import check_quantiser
from burnish.deploy.licence import stated_licence
from burnish.deploy.manifest import write_manifest
from burnish.deploy.optimum import check_optimum
from burnish.deploy.serving import write_serving
from burnish.deploy.settings import ExportSettings
from burnish.deploy.task import Task
from burnish.model.checkpoint import Checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.render.renderer import Renderer


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
    task: Task | None = None,
) -> dict[str, Any]:
    """Writes export/: the forms asked for, the card, parity.json, which is returned, and last of all the manifest.
    `specialist` computes in float32, on the dense base; `trained`: the network that it differs from, where training saw
    a base in fewer bits; `task`: grades the answers.

    A form that fails is not kept; the others are. Raises ParityError: a form failed. Raises ModelError: the model has
    no GGUF form. Raises MissingTool: a K-quant or ONNX without its program. Raises BurnishError: there are no prompts.
    """
    if not prompts:
        raise BurnishError("There are no prompts to compare answers on.", next_move="give the data a test part")
    check_quantiser(settings.forms)
    check_optimum(settings.forms)
    limit = min(max_new_tokens, settings.parity_tokens)
    asked = prompts[: settings.parity_prompts]
    question = _question(checkpoint, specialist, renderer, asked, limit, task, say)
    out = folder.path / f"export.tmp-{os.getpid()}"
    with disk_errors(folder.path):
        for left_over in folder.path.glob("export.tmp-*"):
            shutil.rmtree(left_over)
        out.mkdir()
    tensors = merged_tensors(specialist) if set(settings.forms) != {"adapter"} else {}
    work = Work(out, folder, settings, checkpoint, tensors, specialist, renderer, question, say)
    try:
        merge = None if trained is None else check_dense_merge(trained, specialist, question, say)
        record = _record(work, write_forms(work, merge))
        write_serving(
            out,
            record["forms"],
            name=folder.name,
            renderer=renderer,
            context=specialist.config.context,
            base=checkpoint.path,
            licence=record["base"]["licence"],
        )
        if merge is not None:
            record["dense_merge"] = merge
        write_json(out / "parity.json", record)
        _write_cards(out, folder, record)
        write_manifest(out)
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
    task: Task | None,
    say: Callable[[str], None],
) -> Question:
    """The trained model's answers, how likely the base finds them, and what it answers itself."""
    say(f"Asking the trained model {len(conversations)} prompts")
    ids = [renderer.prompt(messages) for messages in conversations]
    answers = reference_answers(specialist, ids, renderer.stop_ids, limit)
    base = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=specialist.device)
    scored = scored_by(answers, decoder_score(base))
    own = reference_answers(base, ids, renderer.stop_ids, limit)
    return make_question(renderer, conversations, answers, scored, limit, own, task)


def _record(work: Work, forms: dict[str, dict[str, Any]]) -> dict[str, Any]:
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
        "forms_asked_for": list(work.settings.forms),
        "forms": forms,
    }


def _write_cards(out: Path, run: RunFolder, record: Mapping[str, Any]) -> None:
    """The card goes with the files: README.md, and a short one in each folder that people put on a hub."""
    write_text(out / "README.md", card_text(run, record, at=""))
    for name in ("merged", "onnx"):
        if (out / name).is_dir():
            alone = {**record, "forms": {name: record["forms"][name]}}
            write_text(out / name / "README.md", short_card(run, alone))


def _put_in_place(out: Path, target: Path) -> None:
    """The new folder takes the place of an older one in two renames: there is never half of one."""
    old = target.with_name(f"export.tmp-old-{os.getpid()}")
    with disk_errors(target):
        if target.exists():
            target.rename(old)
        out.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _raise_for(record: Mapping[str, Any], folder: RunFolder) -> None:
    failed = {name: form["why"] for name, form in record["forms"].items() if form["status"] == "failed"}
    if failed:
        raise ParityError(
            f"Not kept, for it does not answer as the trained model does: {', '.join(failed)}.",
            where=str(folder.parity),
            seen="; ".join(f"{name}: {why}" for name, why in failed.items()),
            next_move="forms that passed are in export/; where rounding is the reason, export a wider format",
        )
