"""Asks each exported form, through the program that will run it, what the trained model was asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from burnish.core.errors import BurnishError, ParityError
from burnish.core.files import read_json
from burnish.core.records import Message
from burnish.deploy import llamacpp, vllm
from burnish.deploy.answers import Answer, Place, Score, scored_by, transformers_score
from burnish.deploy.llamacpp import EngineAnswers
from burnish.deploy.own_server import check_own_server
from burnish.deploy.parity import (
    EXACT,
    LIMITS,
    Limits,
    answer_measures,
    finding,
    mean_change,
    not_checked,
    prompt_measures,
    score_measures,
    without_effect,
)
from burnish.deploy.settings import Engine
from burnish.deploy.task import GradedTask, Task, graded_task, task_measures
from burnish.model.fetching import nothing_fetched
from burnish.render.renderer import Renderer

NOT_WANTED = "`export.engines` does not name it"
NOT_INSTALLED = "xllamacpp is not installed: pip install 'burnish[llamacpp]', then export again"


@dataclass(frozen=True)
class Question:
    """What every form is asked: conversations, the trained model's answers, the base's view of those, and its own."""

    conversations: Sequence[Sequence[Message]]
    answers: Sequence[Answer]
    base: Sequence[Sequence[Place]]
    special_text: Sequence[bool]
    stop_ids: frozenset[int]
    max_new_tokens: int
    base_answers: Sequence[Answer] = ()
    task: GradedTask | None = None
    decode: Callable[[Sequence[int]], str] = str


def make_question(
    renderer: Renderer,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[Answer],
    base: Sequence[Sequence[Place]],
    max_new_tokens: int,
    base_answers: Sequence[Answer] = (),
    task: Task | None = None,
) -> Question:
    """Marks the conversations whose messages hold the text of a special token, and grades both models' answers."""
    special = [any(name in m.content for name in renderer.special for m in messages) for messages in conversations]
    graded = None if task is None else graded_task(task, renderer.decode, answers, base_answers)
    return Question(
        conversations, answers, base, special, renderer.stop_ids, max_new_tokens, base_answers, graded, renderer.decode
    )


def check_merged(folder: Path, tensors: Mapping[str, Tensor], dtype_name: str, question: Question) -> dict[str, Any]:
    """The folder as plain transformers loads it, computing in float32. A folder of 16-bit weights is asked again with
    the float32 weights it was rounded from, which must answer exactly."""
    model, limits = _load(folder), LIMITS[dtype_name]
    given = [_generated(model, answer, question.max_new_tokens) for answer in question.answers]
    measures = {
        **_prompts(folder, question),
        **answer_measures(question.answers, given),
        **task_measures(question.task, given),
        **_scores(question, transformers_score(model), limits),
    }
    found = finding(measures, limits)
    if dtype_name == "float32":
        return found
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    exact = finding(_scores(question, transformers_score(model), EXACT), EXACT)
    return worst(found, exact, "before rounding") | {"before_rounding": exact}


def check_adapter(base: Path, adapter: Path, limits: Limits, question: Question) -> dict[str, Any]:
    """The adapter as plain peft puts it on the base's folder."""
    with nothing_fetched():
        from peft import PeftModel
    model = PeftModel.from_pretrained(_load(base), str(adapter))
    return finding(_scores(question, transformers_score(model), limits), limits)


def check_gguf(path: Path, limits: Limits, question: Question) -> dict[str, Any]:
    """The file as llama.cpp loads it, with a float32 cache and without flash attention."""
    if not llamacpp.installed():
        return not_checked(NOT_INSTALLED)
    try:
        found = llamacpp.ask(
            path,
            question.conversations,
            question.answers,
            max_new_tokens=question.max_new_tokens,
            stop_ids=question.stop_ids,
        )
    except ParityError as error:
        return {"status": "failed", "why": f"{error.what} {error.seen}"}
    return found_by(found, limits, question)


def check_vllm(folder: Path, limits: Limits, question: Question, adapter: Path | None = None) -> dict[str, Any]:
    """A transformers folder, or an adapter on it, as vLLM serves it in float32."""
    if vllm.command() is None:
        return not_checked(vllm.ABSENT)
    config = {} if adapter is None else read_json(adapter / "adapter_config.json")
    if adapter is not None and (why := vllm.cannot_serve(config)):
        return not_checked(why)
    try:
        found, alone = vllm.ask(
            folder,
            question.conversations,
            question.answers,
            max_new_tokens=question.max_new_tokens,
            stop_ids=question.stop_ids,
            adapter=adapter,
            rank=vllm.largest_rank(config),
        )
    except BurnishError as error:
        return {"status": "failed", "why": f"{error.what} {error.seen}"}
    line = found_by(found, limits, question)
    if adapter is None:
        return line
    expected = mean_change(question.answers, [answer.places for answer in question.answers], question.base)
    return without_effect(line, mean_change(question.answers, found.places, alone), expected)


def check_served(folder: Path, limits: Limits, question: Question, adapter: Path | None = None) -> dict[str, Any]:
    """The same as Burnish's own server serves it."""
    try:
        return check_own_server(
            folder,
            question.conversations,
            question.answers,
            question.base_answers,
            decode=question.decode,
            special_text=question.special_text,
            max_new_tokens=question.max_new_tokens,
            limits=limits,
            adapter=adapter,
        )
    except BurnishError as error:
        return {"status": "failed", "why": f"{error.what} {error.seen}"}


CHECKS: Mapping[Engine, Callable[..., dict[str, Any]]] = {"burnish": check_served, "vllm": check_vllm}


def in_engines(
    found: dict[str, Any],
    wanted: Collection[Engine],
    folder: Path,
    limits: Limits,
    question: Question,
    adapter: Path | None = None,
) -> dict[str, Any]:
    """A form's line with what further engines show; it fails with one of them. One that is absent fails nothing."""
    engines: dict[str, Any] = {}
    for name, check in CHECKS.items():
        engines[name] = check(folder, limits, question, adapter) if name in wanted else not_checked(NOT_WANTED)
        found = worst(found, engines[name], f"in {name}")
    return found | {"engines": engines}


def found_by(found: EngineAnswers, limits: Limits, question: Question) -> dict[str, Any]:
    """The line of parity.json for what an engine answered."""
    measures = {
        **prompt_measures(question.answers, found.prompts, question.special_text),
        **answer_measures(question.answers, found.answers),
        **task_measures(question.task, found.answers),
        **score_measures(question.answers, found.places, question.base, limits.near_tie),
    }
    return finding(measures, limits) | {"engine": found.engine}


def worst(found: dict[str, Any], exact: dict[str, Any], where: str) -> dict[str, Any]:
    """A form fails with the exact form it was rounded from."""
    if exact["status"] != "failed":
        return found
    return found | {"status": "failed", "why": "; ".join(filter(None, [found["why"], f"{where}: {exact['why']}"]))}


def _scores(question: Question, score: Score, limits: Limits) -> dict[str, Any]:
    return score_measures(question.answers, scored_by(question.answers, score), question.base, limits.near_tie)


def _load(folder: Path) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(  # in evaluation mode
        folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    return model


def _generated(model: Any, answer: Answer, limit: int) -> tuple[list[int], bool]:
    """A greedy answer by the folder's own generation settings: spoken tokens, and whether it stopped by itself."""
    prompt = torch.tensor([answer.prompt])
    ids = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=limit)
    tokens = ids[0, len(answer.prompt) :].tolist()
    stops = model.generation_config.eos_token_id
    stopped = bool(tokens) and tokens[-1] in (stops if isinstance(stops, list) else [stops])
    return (tokens[:-1] if stopped else tokens), stopped


def _prompts(folder: Path, question: Question) -> dict[str, Any]:
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    prompts: list[Any] = [
        tokenizer.apply_chat_template([m.to_json() for m in messages], add_generation_prompt=True, return_dict=False)
        for messages in question.conversations
    ]
    return prompt_measures(question.answers, prompts, question.special_text)
