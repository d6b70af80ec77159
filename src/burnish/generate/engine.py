"""Generation for many requests at once: shared beginnings computed once, sequences in slots, slots refilled as they
become free. What comes out depends on the requests and the settings alone."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from burnish.core.errors import DataError, ModelError
from burnish.generate.cache import Run, Slots, open_shared
from burnish.generate.forward import Row, run_pass, run_starts
from burnish.generate.sample import choose
from burnish.model.decoder import Decoder
from burnish.model.prefixes import find_prefixes

SLOTS = 128  # sequences at work together: of 32 rows a product runs at 0.6 of a processor's rate, of 128 at 0.95
TOKENS_IN_SLOTS = 65_536  # of all sequences at work, as if each were as long as the longest: their memory is bounded
# Tokens that a shared beginning must save in all. At every step it is one more run to attend to, in every layer: over
# an answer of some fifty tokens that costs about as much as reading so many tokens.
WORTH_SHARING = 512
TOKENS_PER_PASS = 2048  # prompts started in one pass: enough to keep a processor busy, little enough to hold in memory


@dataclass(frozen=True)
class Request:
    """A prompt to continue. temperature 0 takes the most probable token; else the draw depends on seed and position."""

    prompt: tuple[int, ...]
    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Completion:
    """What was generated. logprobs: of each of `tokens`, in nats, by the model at temperature 1."""

    tokens: tuple[int, ...]  # without the stop token
    logprobs: tuple[float, ...]
    stopped: bool  # ended by a stop token, not by length


@dataclass(frozen=True)
class _Event:
    """One more token of a request. The stop token is an event too."""

    request: int
    token: int
    logprob: float
    stopped: bool
    finished: bool


@dataclass(eq=False)
class _Sequence:
    """A request at work. `run` is its own part of the prompt, after the shared runs."""

    number: int
    request: Request
    run: Run
    filled: int = 0  # own tokens whose keys and values are in the slot
    last: int = -1  # the newest token, not yet in the slot
    made: int = 0


def generate(
    decoder: Decoder,
    requests: Sequence[Request],
    *,
    stop_ids: Collection[int],
    slots: int = SLOTS,
    progress: Callable[[int], None] | None = None,
) -> list[Completion]:
    """Completions in the order of the requests. `progress` is told how many requests are finished.

    Raises DataError: a request that can't be met, by its number; ModelError: the model computes NaN.
    """
    if slots < 1:
        raise ValueError(f"slots must be at least 1, not {slots}")
    tokens: list[list[int]] = [[] for _ in requests]
    logprobs: list[list[float]] = [[] for _ in requests]
    stopped = [False] * len(requests)
    finished = sum(request.max_new_tokens == 0 for request in requests)
    _check(decoder, requests)
    for event in _events(decoder, requests, frozenset(stop_ids), slots):
        stopped[event.request] = event.stopped
        if not event.stopped:
            tokens[event.request].append(event.token)
            logprobs[event.request].append(event.logprob)
        if event.finished:
            finished += 1
            if progress is not None:
                progress(finished)
    return [Completion(tuple(t), tuple(p), s) for t, p, s in zip(tokens, logprobs, stopped, strict=True)]


def stream(decoder: Decoder, request: Request, *, stop_ids: Collection[int]) -> Iterator[int]:
    """The tokens of one request as they come, without the stop token. Raises as `generate`."""
    _check(decoder, [request])
    events = _events(decoder, [request], frozenset(stop_ids), 1)
    return (event.token for event in events if not event.stopped)


def _check(decoder: Decoder, requests: Sequence[Request]) -> None:
    for number, request in enumerate(requests):
        if trouble := _trouble(request, decoder.config.context, decoder.config.vocab):
            what, seen, move = trouble
            raise DataError(f"A request {what}.", where=f"request {number}", seen=seen, next_move=move)


def _trouble(request: Request, context: int, vocab: int) -> tuple[str, str, str] | None:
    """What is wrong, the value seen and the next move."""
    if not request.prompt:
        return "has an empty prompt", "0 tokens", "give at least one token, such as the start token"
    if unknown := [token for token in request.prompt if not 0 <= token < vocab]:
        return "holds a token unknown to the model", str(unknown[0]), f"use its own tokenizer: it has {vocab} tokens"
    if request.max_new_tokens < 0 or not 0 <= request.temperature < math.inf:
        seen = f"max_new_tokens {request.max_new_tokens}, temperature {request.temperature}"
        return "asks for something impossible", seen, "use max_new_tokens and a temperature of at least 0"
    length = len(request.prompt) + request.max_new_tokens
    if length > context:
        seen = f"{len(request.prompt)} prompt + {request.max_new_tokens} new = {length} of {context} tokens"
        return "is longer than the model's context", seen, "shorten the prompt or ask for fewer new tokens"
    return None


def _events(decoder: Decoder, requests: Sequence[Request], stop: frozenset[int], slots: int) -> Iterator[_Event]:
    """One event a token generated, as they come."""
    work = _Work(decoder, requests, slots)
    while work.queue or work.active:
        tokens, logprobs = work.step()
        if not all(math.isfinite(logprob) for logprob in logprobs):
            raise ModelError("The model computed NaN or infinity.", next_move="check its weights, or use float32")
        done = []
        for slot, (sequence, token, logprob) in enumerate(zip(work.active, tokens, logprobs, strict=True)):
            stopped = token in stop
            finished = stopped or sequence.made == sequence.request.max_new_tokens
            if finished:
                done.append(slot)
            yield _Event(sequence.number, token, logprob, stopped, finished)
        work.retire(done)


class _Work:
    """What waits, what is at work, and the keys and values of both shared runs and slots."""

    def __init__(self, decoder: Decoder, requests: Sequence[Request], slots: int) -> None:
        opening = decoder.opening_ids
        requests = [replace(one, prompt=(*opening, *one.prompt)) for one in requests] if opening else requests
        self.decoder, self.requests = decoder, requests
        self.prefixes = find_prefixes([request.prompt for request in requests], worth=WORTH_SHARING)
        waiting = [number for number, request in enumerate(requests) if request.max_new_tokens > 0]
        # by shared run, so that few are at work at a time; longest first, so that neighbours have slots of one length
        waiting.sort(key=lambda number: (self.prefixes.paths[number], -self._need(number), number))
        self.queue = deque(waiting)
        longest = max(map(self._need, waiting), default=1)
        self.limit = max(1, min(slots, len(requests), TOKENS_IN_SLOTS // longest))
        self.users = Counter(run for number in waiting for run in self.prefixes.paths[number])
        self.shared: dict[int, Run] = {}
        self.active: list[_Sequence] = []  # the index is the slot
        self.slots = Slots(decoder, self.limit)

    def _need(self, number: int) -> int:
        """Own tokens that a request's slot must hold: the last one generated is never read."""
        request = self.requests[number]
        return len(request.prompt) - self.prefixes.covered(number) + request.max_new_tokens - 1

    @torch.inference_mode()
    def step(self) -> tuple[list[int], list[float]]:
        """One pass: a further token for each active sequence, and the first one for as many new ones as fit."""
        rows = [Row(s.last, s.filled, s.run.start, s.run.above) for s in self.active]
        runs = self._start()
        starts = dict(zip(runs, run_starts(runs, len(rows)), strict=True))
        hidden = run_pass(self.decoder, runs, rows, self.slots)
        for sequence in self.active[: len(rows)]:
            sequence.filled += 1
        begun = self.active[len(rows) :]
        for sequence in begun:
            sequence.filled = len(sequence.run.tokens)
        read = [*range(len(rows)), *(starts[sequence.run] + sequence.filled - 1 for sequence in begun)]
        tokens, logprobs = choose(
            self.decoder.logits(hidden[read]),
            [sequence.request.temperature for sequence in self.active],
            [sequence.request.seed for sequence in self.active],
            [sequence.run.start + sequence.filled for sequence in self.active],
            self.decoder.tokens,
        )
        for sequence, token in zip(self.active, tokens, strict=True):
            sequence.last, sequence.made = token, sequence.made + 1
        return tokens, logprobs

    def _start(self) -> list[Run]:
        """Takes requests off the queue while slots and the pass have room. Returns what must be computed for them."""
        runs: list[Run] = []
        taken: list[int] = []
        tokens = 0
        while self.queue and len(self.active) + len(taken) < self.limit:
            missing = [run for run in self.prefixes.paths[self.queue[0]] if run not in self.shared]
            prompt = len(self.requests[self.queue[0]].prompt) - self.prefixes.covered(self.queue[0])
            tokens += prompt + sum(len(self.prefixes.runs[run].tokens) for run in missing)
            if taken and tokens > TOKENS_PER_PASS:
                break
            taken.append(self.queue.popleft())
            for index in missing:
                self.shared[index] = open_shared(self.decoder, self.prefixes, index, self.shared)
                runs.append(self.shared[index])
        self.slots.grow(max(map(self._need, taken), default=0))
        for number in taken:
            request, covered = self.requests[number], self.prefixes.covered(number)
            above = tuple(self.shared[run] for run in self.prefixes.paths[number])
            run = Run(request.prompt[covered:], covered, above, self.slots.store(len(self.active)))
            self.active.append(_Sequence(number, request, run))
            runs.append(run)
        return runs

    @torch.inference_mode()
    def retire(self, done: Sequence[int]) -> None:
        """Frees these slots, given in order, and the shared runs that nobody waits for. Slots in use stay in a row."""
        for slot in reversed(done):
            for run in self.prefixes.paths[self.active[slot].number]:
                self.users[run] -= 1
                if not self.users[run]:
                    del self.shared[run]
            last = self.active.pop()
            if slot < len(self.active):
                self.slots.move(len(self.active), slot, last.filled)
                self.active[slot] = last
