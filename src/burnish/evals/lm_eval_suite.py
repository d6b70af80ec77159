"""A task of the lm-eval package as a suite: that package writes the prompts and grades, our engine answers.

Imported only when a recipe names such a task; the package comes with the extra `eval`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.evaluator import evaluate
from lm_eval.tasks import TaskManager

from burnish.core.errors import DataError
from burnish.core.records import Item
from burnish.evals.arms import ArmName, Progress
from burnish.evals.margins import margin_for
from burnish.evals.memory_suite import MemorySuite, choice_scores
from burnish.evals.retention_settings import LmEvalTask
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.generate.score import Choices, score_choices, text_loss
from burnish.model.decoder import Decoder
from burnish.render.renderer import Renderer

SEED = 1234  # of few-shot examples: the one that package uses
ANSWER_TOKENS = 256  # where a task does not say how long an answer may be


class BurnishLM(LM):  # type: ignore[misc]
    """lm-eval's interface of a model, served by our engine. Prompts are plain text, as that package gives them."""

    def __init__(self, decoder: Decoder, renderer: Renderer, *, greedy: bool) -> None:
        super().__init__()
        self.decoder, self.renderer, self.greedy = decoder, renderer, greedy

    def loglikelihood(self, requests: Sequence[Instance], **_: Any) -> list[tuple[float, bool]]:
        """The log-probability of each continuation in nats, and whether it is the greedy one: False where `greedy` is
        not wanted, as a choice among several has no use for it.
        """
        asked = [self._choices(*request.args) for request in requests]
        sums = [one for (one,) in score_choices(self.decoder, asked)]
        if not self.greedy:
            return [(one, False) for one in sums]
        said = generate(self.decoder, [Request(one.prompt, len(one.continuations[0])) for one in asked], stop_ids=())
        hits = [one.continuations[0] == answer.tokens for one, answer in zip(asked, said, strict=True)]
        return list(zip(sums, hits, strict=True))

    def loglikelihood_rolling(self, requests: Sequence[Instance], **_: Any) -> list[float]:
        """The log-probability of each text in nats; of one longer than the context, in parts that fit."""
        room, totals = self.decoder.config.context - 1, []
        for request in requests:
            ids = self._ids(request.args[0])
            parts = [[self._start(), *ids[at : at + room]] for at in range(0, len(ids), room)]
            totals.append(-sum(nats for nats, _ in text_loss(self.decoder, parts)))
        return totals

    def generate_until(self, requests: Sequence[Instance], **_: Any) -> list[str]:
        """Greedy answers up to the first of the task's stop texts."""
        asked, ends = [], []
        for request in requests:
            context, settings = request.args
            until = settings.get("until") or []
            ends.append([until] if isinstance(until, str) else until)
            tokens = min(settings.get("max_gen_toks") or ANSWER_TOKENS, self.decoder.config.context // 2)
            ids = self._ids(context)[-(self.decoder.config.context - tokens) :]
            asked.append(Request(tuple(ids or [self._start()]), tokens))
        completions = generate(self.decoder, asked, stop_ids=self.renderer.stop_ids)
        texts = [self.renderer.decode(completion.tokens) for completion in completions]
        return [_before(text, stops) for text, stops in zip(texts, ends, strict=True)]

    def _choices(self, context: str, continuation: str) -> Choices:
        """Both are tokenised together; white space at the end of the context belongs to the continuation."""
        bare = context.rstrip()
        continuation = context[len(bare) :] + continuation
        prompt = self._ids(bare) or [self._start()]
        whole = self._ids(bare + continuation)
        rest = whole[len(prompt) :] if bare else whole
        room = self.decoder.config.context - len(rest)
        return Choices(tuple(prompt[-room:]), (tuple(rest),))

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.renderer.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _start(self) -> int:
        tokenizer = self.renderer.tokenizer
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        return int(start or 0)


def _before(text: str, stops: Sequence[str]) -> str:
    """The text up to the first stop."""
    return text[: min((text.find(stop) for stop in stops if stop and stop in text), default=len(text))]


def lm_eval_suite(wanted: LmEvalTask, renderer: Renderer) -> MemorySuite:
    """The task's items by number. Choices are judged by `logprob_margin`, other tasks by their first metric.

    Raises DataError: there is no such task, it is a group, or its items have no score each; RecipeError: its metric
    needs a margin.
    """
    task = _load(wanted)
    rows = range(min(len(task.eval_docs), wanted.items or len(task.eval_docs)))
    chosen = task.OUTPUT_TYPE == "multiple_choice"
    metric, higher = ("logprob_margin", True) if chosen else next(iter(task.higher_is_better().items()))
    margin_for(wanted.suite, metric, wanted.margin)  # raises before anything is asked
    chance = 1 / len(task.doc_to_choice(task.eval_docs[0])) if chosen else None
    plan = {"metric": metric, "higher_is_better": bool(higher), "margin": wanted.margin, "chance": chance}

    def answer(decoder: Decoder, arm: ArmName, numbers: Sequence[Any], progress: Progress) -> list[Item]:
        task.set_fewshot_seed(SEED)  # the same examples for every arm and after an interruption
        found = evaluate(
            lm=BurnishLM(decoder, renderer, greedy=not chosen),
            task_dict={"tasks": {wanted.suite: task}, "groups": {}, "group_map": {}},
            samples={wanted.suite: list(numbers)},
            bootstrap_iters=0,
        )
        by_number = {int(sample["doc_id"]): sample for sample in reversed(found["samples"][wanted.suite])}
        return [_item(wanted.suite, arm, by_number[number], chosen) for number in numbers]

    return MemorySuite(wanted.suite, rows, plan, answer)


def _load(wanted: LmEvalTask) -> Any:
    """The task of that name. Raises DataError: there is none, or several."""
    try:
        named = not wanted.task.endswith(".yaml")  # only then the package's thousands of tasks need to be listed
        found = TaskManager(include_defaults=named).load(wanted.task)
        (task,) = found["tasks"].values()
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            "lm-eval cannot load this task, or it is a group of tasks.",
            where="evaluate.retention.lm_eval",
            seen=f"{wanted.task}: {str(error)[:200]}",
            next_move="`lm-eval ls tasks` lists the names; its data must be in the cache or the network reachable",
        ) from error
    if found["groups"] or task.OUTPUT_TYPE == "loglikelihood_rolling":
        raise DataError(
            "This is no task whose items have a score each.",
            where="evaluate.retention.lm_eval",
            seen=f"{wanted.task}, {'a group' if found['groups'] else 'running text'}",
            next_move="name a single task; give running text as `extra`, a file of {text}",
        )
    return task


def _item(suite: str, arm: ArmName, sample: Mapping[str, Any], chosen: bool) -> Item:
    """An item from what lm-eval logged: its metrics, and for a choice those of `choice_scores`."""
    scores = {name: float(sample[name]) for name in sample["metrics"] if isinstance(sample[name], int | float)}
    number, prompt, target = str(sample["doc_id"]), str(sample["arguments"][0][0]), sample["target"]
    if not chosen:
        return Item(suite, number, arm, prompt, str(target), str(sample["filtered_resps"][0]), scores)
    continuations = [str(arguments[1]).strip() for arguments in sample["arguments"]]
    if not isinstance(target, int):
        raise DataError("A task with several right answers cannot be judged.", where=suite, seen=str(target)[:80])
    logprobs = [float(response[0]) for response in sample["filtered_resps"]]
    output = continuations[logprobs.index(max(logprobs))]
    return Item(suite, number, arm, prompt, continuations[target], output, scores | choice_scores(logprobs, target))
