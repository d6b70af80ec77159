"""The form `adapter-gguf`: the adapter as llama.cpp loads it, held against the trained model on the file it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gguf.constants import GGMLQuantizationType

from burnish.core.errors import ParityError
from burnish.core.files import sha256_of_tree
from burnish.deploy import llamacpp
from burnish.deploy.adapter_gguf import write_adapter_gguf
from burnish.deploy.checks import NOT_INSTALLED, Question, worst
from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors
from burnish.deploy.gguf_write import write_gguf
from burnish.deploy.parity import (
    EXACT,
    Limits,
    answer_measures,
    finding,
    mean_change,
    not_checked,
    prompt_measures,
    score_measures,
    without_effect,
)
from burnish.deploy.task import task_measures
from burnish.model.checkpoint import Checkpoint
from burnish.model.config import DecoderConfig
from burnish.model.gguf_file import read_gguf
from burnish.render.renderer import Renderer

FILE = "adapter.gguf"
# llama.cpp rounds activations to 8 bits where weights are in blocks. That is no fault of the adapter: it is held to
# what the file itself reaches without one, and to these.
ENOUGH_AGREEMENT, MOST_DIFFERENCE, NEAR_TIE, LEAST_KEPT = 0.99, 0.15, 0.25, 0.9


def adapter_gguf(
    out: Path,
    adapter: Path,
    checkpoint: Checkpoint,
    config: DecoderConfig,
    renderer: Renderer,
    question: Question,
    *,
    name: str,
    exact_check: bool,
) -> dict[str, Any]:
    """Writes adapter.gguf into `out` and checks it: on the base's own file where it is one, and on a copy of the base
    in float32, which is deleted again. Without `exact_check` there is no copy.

    Raises ModelError: llama.cpp's form cannot hold this adapter.
    """
    base, path = checkpoint.path, out / FILE
    write_adapter_gguf(path, adapter, config, name=name, base=base.name, base_sha256=sha256_of_tree(base))
    if not llamacpp.installed():
        return {"file": FILE, "base": base.name, **not_checked(NOT_INSTALLED)}
    exact = _on_copy(out, path, checkpoint, config, renderer, question, name) if exact_check else None
    if base.is_file():
        whole = all(tensor.type is GGMLQuantizationType.F32 for tensor in read_gguf(base).tensors.values())
        found = _check(base, path, question, exact=whole, has_template=_has_template(base))
    elif exact is not None:
        found, exact = exact, None
    else:
        found = not_checked("the base is too large for a copy of it in float32")
    if exact is not None:
        found = worst(found, exact, "on a float32 copy of the base") | {"float32_copy": exact}
    return {"file": FILE, "base": base.name, **found}


def _has_template(base: Path) -> bool:
    return "tokenizer.chat_template" in read_gguf(base).metadata


def _on_copy(
    out: Path,
    adapter: Path,
    checkpoint: Checkpoint,
    config: DecoderConfig,
    renderer: Renderer,
    question: Question,
    name: str,
) -> dict[str, Any]:
    """Tells a wrong name, order or scale from rounding."""
    copy = out / "base-f32.gguf"
    metadata = model_metadata(checkpoint, config, name=name, template=renderer.template, stop_ids=renderer.stop_ids)
    weights = {one: checkpoint.tensors[one] for one in checkpoint.tensors if not one.endswith("rotary_emb.inv_freq")}
    try:
        write_gguf(copy, metadata, weights, config, "f32", rotary_divisors(config))
        return _check(copy, adapter, question, exact=True, has_template=True)
    finally:
        copy.unlink(missing_ok=True)


def _check(base: Path, adapter: Path, question: Question, *, exact: bool, has_template: bool) -> dict[str, Any]:
    """The adapter switched on, against the trained model; switched off, against the base."""
    ask = partial(
        llamacpp.ask, base, max_new_tokens=question.max_new_tokens, stop_ids=question.stop_ids, adapter=adapter
    )
    answers, alone = list(question.answers), list(question.base_answers)
    try:
        on = ask(question.conversations, answers)
        off = ask((), [*answers, *alone], scale=0.0)
    except ParityError as error:
        return {"status": "failed", "why": f"{error.what} {error.seen}"}
    itself = {
        **answer_measures(alone, off.answers[len(answers) :]),
        **score_measures(alone, off.places[len(answers) :], [one.places for one in alone], NEAR_TIE),
    }
    limits = EXACT if exact else _limits(itself)
    prompts = prompt_measures(answers, on.prompts, question.special_text) if has_template else {}
    measures = {
        **prompts,
        **answer_measures(answers, on.answers),
        **task_measures(question.task, on.answers),
        **score_measures(answers, on.places, question.base, limits.near_tie),
    }
    found = finding(measures, limits) | {"engine": on.engine, "base_alone": itself}
    expected = mean_change(answers, [answer.places for answer in answers], question.base)
    return without_effect(found, mean_change(answers, on.places, off.places[: len(answers)]), expected)


def _limits(itself: Mapping[str, Any]) -> Limits:
    return Limits(min(itself["top1_agreement"], ENOUGH_AGREEMENT), MOST_DIFFERENCE, None, LEAST_KEPT, NEAR_TIE)
