"""Opponents that are not the base model: other weights on this machine, or a model at an address.

Each is asked with its own tokenizer and template, under the same decoding rule: `max_new_tokens` counts its own tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from burnish.core.asking import Asked, Writer
from burnish.core.asking import answers as asked_answers
from burnish.core.errors import RecipeError
from burnish.core.records import Chat, Item, Message
from burnish.evals.arms import Answer, ArmName, Decoding, Progress
from burnish.evals.label_confidence import NOTHING
from burnish.evals.opponent import make_prompts
from burnish.evals.prompts import NO_WORDING, Candidate
from burnish.evals.task import SUITE, Task, graded
from burnish.evals.task_data import TaskData
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

PLAIN = Candidate(0, wording=NO_WORDING)  # the row's own prompt and nothing else


@dataclass(frozen=True)
class Local:
    """Weights on this machine. `identity` stands in arms.json and changes with them; `context` is in tokens."""

    name: str
    identity: Mapping[str, Any]
    renderer: Renderer
    context: int
    open: Callable[[], AbstractContextManager[Decoder]]
    prompted: bool = False


@dataclass(frozen=True)
class Served:
    """A model at an address; `kept` is the file of its answers, so that none is asked for twice."""

    name: str
    identity: Mapping[str, Any]
    writer: Writer
    kept: Path
    prompted: bool = False


Contender: TypeAlias = Local | Served


def check_contenders(
    contenders: Sequence[Contender], renderer: Renderer | None, *, decided_by: str, example_counts: Mapping[str, int]
) -> None:
    """Whether each can take part. `decided_by`: `answers`, `pairs` (the likelier of two), `loss` (of expected answers)
    or `texts` (the loss of plain text). `renderer` is the base model's, which only other weights are compared with.

    Raises RecipeError: one cannot.
    """
    if decided_by in ("pairs", "texts") and example_counts:
        raise RecipeError(
            f"The opponent `{next(iter(example_counts))}` cannot take part: these rows ask no question.",
            where="evaluate.opponents",
            next_move="leave it out",
        )
    for one in contenders:
        if isinstance(one, Served):
            if decided_by != "answers":
                raise RecipeError(
                    f"The opponent `{one.name}` cannot take part: an address gives texts, and the likelihood of given "
                    "ones decides here.",
                    where="evaluate.opponents",
                    seen={"pairs": "preference pairs", "loss": "metric: loss", "texts": "plain text"}[decided_by],
                    next_move="name the model as a folder or a .gguf file on this machine, or leave it out",
                )
        elif renderer is not None and decided_by in ("loss", "texts") and not same_tokens(one.renderer, renderer):
            raise RecipeError(
                f"The opponent `{one.name}` cannot take part: it has another tokenizer, so its loss in nats a token "
                "cannot be compared.",
                where="evaluate.opponents",
                next_move="choose a metric of answers, or leave it out",
            )


def same_tokens(one: Renderer, other: Renderer) -> bool:
    """Whether both cut text into the same tokens."""
    return one.tokenizer is other.tokenizer or one.tokenizer.get_vocab() == other.tokenizer.get_vocab()


def local_task(one: Local, base: Task, data: TaskData, instructions: str | None, winner: Candidate | None) -> Task:
    """The task of the base model as this one is asked it. Without a `winner` it reads the row's own prompt."""
    decoding = replace(base.decoding, stop_ids=one.renderer.stop_ids)
    maker = make_prompts(own_data(one, data), one.renderer, decoding, instructions, base.decoding.seed)
    return replace(
        base,
        renderer=one.renderer,
        decoding=decoding,
        maker=maker,
        winner=winner or PLAIN,
        longest=max(one.context - decoding.max_new_tokens, one.context // 2),
        with_loss=same_tokens(one.renderer, base.renderer),
        weighed=base.weighed if same_tokens(one.renderer, base.renderer) else NOTHING,
    )


def own_data(one: Local, data: TaskData) -> TaskData:
    """The same rows, and the context of this model."""
    return replace(data, context=one.context)


def served_messages(task: Task, one: Served, row: Chat) -> tuple[Message, ...]:
    """What is sent: the row's own messages, or what the candidate that won for the base model makes of them."""
    return tuple(task.maker.fitting(task.winner, row)) if one.prompted and task.winner else row.prompt


def answer_served(
    one: Served, task: Task, arm: ArmName, rows: Sequence[Chat], progress: Progress, say: Callable[[str], None]
) -> list[Item]:
    """One item a row, from the answers that are kept where they were given before. A request that the server does not
    take, such as one that is too long, is an empty answer, and it is said.

    Raises DataError: nobody answers, or not in the form of OpenAI's; what was answered is kept.
    """
    decoding = task.decoding
    asked = [
        Asked(served_messages(task, one, row), decoding.max_new_tokens, decoding.temperature, seed)
        for row in rows
        for seed in decoding.seeds(SUITE, row.id)
    ]
    said: list[Answer] = []
    refusals: list[str] = []
    for answer in asked_answers(asked, one.writer, one.kept):
        said.append(Answer(answer.text, None, answer.whole))
        refusals += [answer.refused] if answer.refused else []
        progress(len(said) // decoding.samples)
    if refusals:
        say(f"{arm}: the server refused {len(refusals)} of {len(asked)} requests, which count as empty: {refusals[0]}")
    each = decoding.samples
    return [graded(task, arm, row, said[n * each : (n + 1) * each]) for n, row in enumerate(rows)]


def described(decoding: Decoding) -> dict[str, Any]:
    """What a reader of arms.json should know about the limit of answers."""
    return {**decoding.to_json(), "counted": "max_new_tokens counts tokens of this model's own tokenizer"}
