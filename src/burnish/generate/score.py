"""Log-probabilities of given texts: choices after a prompt, and running text; hidden states. Prompts are computed once.

Names: T tokens, N targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from burnish.core.errors import DataError
from burnish.generate.beginnings import Beginning, beginnings
from burnish.generate.cache import Run, new_store
from burnish.generate.forward import run_pass, run_starts
from burnish.model.decoder import Decoder
from burnish.model.logprobs import target_logprobs
from burnish.model.prefixes import find_prefixes


@dataclass(frozen=True)
class Choices:
    """A prompt and what may follow it."""

    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


def parted(texts: Sequence[Sequence[int]]) -> Choices:
    """Texts of two tokens and more as choices after what all of them share, which counts the same for each. Each keeps
    at least its last token."""
    shortest = min(map(len, texts)) - 1
    shared = next((at for at in range(shortest) if len({ids[at] for ids in texts}) > 1), shortest)
    return Choices(tuple(texts[0][:shared]), tuple(tuple(ids[shared:]) for ids in texts))


@dataclass(frozen=True)
class _Target:
    """A token to be predicted at a place of the pass, and whose score it adds to."""

    at: int
    token: int
    score: int


def score_choices(decoder: Decoder, questions: Sequence[Choices], *, tokens_per_pass: int = 2048) -> list[list[float]]:
    """The log-probability, in nats, of each continuation of each question, summed over its tokens.

    A pass holds whole questions, of at most `tokens_per_pass` own tokens unless one alone has more; what they share
    is computed once over all passes.
    Raises DataError: an empty prompt, or a question longer than the context.
    """
    for number, question in enumerate(questions):
        if not question.prompt:
            where, move = f"question {number}", "give at least one token, such as the start token"
            raise DataError("A question has an empty prompt.", where=where, next_move=move)
        longest = max((len(continuation) for continuation in question.continuations), default=0)
        _check_length(decoder, f"question {number}", len(question.prompt) + longest)
    opening = decoder.opening_ids
    questions = [replace(one, prompt=(*opening, *one.prompt)) for one in questions]
    prefixes = find_prefixes([question.prompt for question in questions])
    in_order = sorted(range(len(questions)), key=lambda number: (prefixes.paths[number], number))
    costs = [_cost(question) - prefixes.covered(number) for number, question in enumerate(questions)]
    scores: list[list[float]] = [[] for _ in questions]
    paths = beginnings(prefixes)
    for numbers in _passes(in_order, costs, tokens_per_pass):
        asked = [(questions[number], paths[number]) for number in numbers]
        for number, sums in zip(numbers, _score_pass(decoder, asked), strict=True):
            scores[number] = sums
            for beginning in paths[number]:
                beginning.leave()
    return scores


def text_loss(
    decoder: Decoder, texts: Sequence[Sequence[int]], *, tokens_per_pass: int = 2048
) -> list[tuple[float, int]]:
    """For each text the sum of -log p of its tokens in nats, and how many were predicted: all but the first.

    Raises DataError: a text longer than the context.
    """
    for number, text in enumerate(texts):
        _check_length(decoder, f"text {number}", len(text))
    losses = [(0.0, 0)] * len(texts)
    opening = decoder.opening_ids
    predicted = [number for number, text in enumerate(texts) if len(text) > 1]
    for numbers in _passes(predicted, [len(opening) + len(text) - 1 for text in texts], tokens_per_pass):
        runs = [Run((*opening, *texts[number][:-1])) for number in numbers]  # nothing is predicted from the last token
        targets = [
            _Target(start + len(opening) + offset, token, index)
            for index, (number, start) in enumerate(zip(numbers, run_starts(runs), strict=True))
            for offset, token in enumerate(texts[number][1:])
        ]
        for number, total in zip(numbers, _sum_logprobs(decoder, runs, targets, len(numbers)), strict=True):
            losses[number] = (-total, len(texts[number]) - 1)
    return losses


def hidden_states(
    decoder: Decoder, texts: Sequence[Sequence[int]], *, tokens_per_pass: int = 2048
) -> list[torch.Tensor]:
    """(T, D) for each text: what the output layer would read at each of its tokens.

    Raises DataError: a text longer than the context.
    """
    for number, text in enumerate(texts):
        _check_length(decoder, f"text {number}", len(text))
    opening = decoder.opening_ids
    lengths = [len(opening) + len(text) for text in texts]
    states: list[torch.Tensor] = []
    for numbers in _passes(range(len(texts)), lengths, tokens_per_pass):
        hidden_T_D = run_pass(decoder, [Run((*opening, *texts[number])) for number in numbers])
        whole = torch.split(hidden_T_D, [lengths[number] for number in numbers])
        states += [states_T_D[len(opening) :] for states_T_D in whole]
    return states


def _check_length(decoder: Decoder, where: str, length: int) -> None:
    if length > decoder.config.context:
        raise DataError(
            "A text is longer than the model's context.",
            where=where,
            seen=f"{length} of {decoder.config.context} tokens",
            next_move="shorten it",
        )


def _cost(question: Choices) -> int:
    """Tokens to compute for a question on its own."""
    return len(question.prompt) + sum(max(len(continuation) - 1, 0) for continuation in question.continuations)


def _passes(numbers: Sequence[int], costs: Sequence[int], tokens_per_pass: int) -> Iterator[list[int]]:
    """Neighbours together, while they fit."""
    together: list[int] = []
    total = 0
    for number in numbers:
        if together and total + costs[number] > tokens_per_pass:
            yield together
            together, total = [], 0
        together.append(number)
        total += costs[number]
    if together:
        yield together


def _score_pass(decoder: Decoder, asked: Sequence[tuple[Choices, tuple[Beginning, ...]]]) -> list[list[float]]:
    """Scores these questions, each with its beginnings, in one pass."""
    runs = [one.open(decoder) for one in dict.fromkeys(one for _, path in asked for one in path) if one.run is None]
    wanted: list[tuple[Run, Run | None, tuple[int, ...]]] = []
    for question, path in asked:
        covered = path[-1].stop if path else 0
        tokens = question.prompt[covered:]
        above = tuple(one.run for one in path if one.run is not None)
        is_read = any(len(continuation) > 1 for continuation in question.continuations)
        prompt = Run(tokens, covered, above, new_store(decoder, len(tokens)) if is_read else None)
        runs.append(prompt)
        for continuation in question.continuations:
            # the first token is predicted at the prompt's end, and nothing is predicted from the last
            further = continuation[:-1]
            run = Run(further, covered + len(tokens), (*above, prompt)) if further else None
            runs.extend([run] if run else [])
            wanted.append((prompt, run, continuation))
    starts = dict(zip(runs, run_starts(runs), strict=True))
    targets = []
    for score, (prompt, run, continuation) in enumerate(wanted):
        places = [starts[prompt] + len(prompt.tokens) - 1]
        places += range(starts[run], starts[run] + len(run.tokens)) if run else ()
        targets += [_Target(at, token, score) for at, token in zip(places, continuation, strict=False)]
    sums = iter(_sum_logprobs(decoder, runs, targets, len(wanted)))
    return [[next(sums) for _ in question.continuations] for question, _ in asked]


@torch.inference_mode()
def _sum_logprobs(decoder: Decoder, runs: Sequence[Run], targets: Sequence[_Target], scores: int) -> list[float]:
    """The sum of the targets' log-probabilities for each score."""
    hidden_T_D = run_pass(decoder, runs)
    if not targets:
        return [0.0] * scores
    at_N, token_N, score_N = torch.tensor([(t.at, t.token, t.score) for t in targets], device=decoder.device).T
    logprob_N = target_logprobs(hidden_T_D[at_N], decoder.head, token_N)
    sums = torch.zeros(scores, dtype=torch.float64, device=decoder.device)
    summed: list[float] = sums.index_add_(0, score_N, logprob_N.double()).tolist()
    return summed
