"""Generation for many requests at once: beginnings computed once, sequences in slots, slots refilled as they become
free. What comes out depends on the requests and the settings; neighbours and what is remembered change the rounding of
numbers, nothing else.

`generate` answers requests that are all known; an `Engine` takes them while it works.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from burnish.core.errors import DataError, ModelError
from burnish.generate.beginnings import Beginning, beginnings
from burnish.generate.cache import Run, Slots, Store
from burnish.generate.forward import Row, run_pass, run_starts
from burnish.generate.remembered import LEAST, Ids, Known, Memory, common
from burnish.generate.request import Completion, Event, Request, trouble
from burnish.generate.sample import alternatives, changed_logits, changes, choose
from burnish.model.decoder import Decoder
from burnish.model.prefixes import find_prefixes

SLOTS = 128  # sequences at work together: of 32 rows a product runs at 0.6 of a processor's rate, of 128 at 0.95
TOKENS_IN_SLOTS = 65_536  # of all sequences at work, as if each were as long as the longest: their memory is bounded
# Tokens that a shared beginning must save in all. At every step it is one more run to attend to, in every layer: over
# an answer of some fifty tokens that costs about as much as reading so many tokens.
WORTH_SHARING = 512
TOKENS_PER_PASS = 2048  # prompts read in one pass: enough to keep a processor busy, little enough to hold in memory


@dataclass(eq=False)
class _Sequence:
    """A request at work. Its own tokens come after the runs above it; `filled` of them are in its slot."""

    number: int
    request: Request
    prompt: tuple[int, ...]  # with what opens every text
    ids: Ids  # the same
    beginnings: tuple[Beginning, ...]
    known: Known | None = None  # what was remembered of it when its turn came
    above: tuple[Run, ...] = ()
    filled: int = 0
    answer: list[int] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Position of its first own token."""
        return self.above[-1].stop if self.above else 0

    @property
    def unread(self) -> int:
        """Tokens of the prompt that are not in the slot."""
        return max(0, len(self.prompt) - self.start - self.filled)

    def need(self, start: int) -> int:
        """Own tokens that its slot must hold: the last one generated is never read."""
        return len(self.prompt) - start + self.request.max_new_tokens - 1


class Engine:
    """Requests at work on one decoder. One thread calls everything.

    slots, tokens_per_pass: as the constants above
    remember: tokens of earlier conversations whose keys and values are kept for requests that begin alike
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        stop_ids: Collection[int],
        slots: int = SLOTS,
        tokens_per_pass: int | None = None,
        remember: int = 0,
    ) -> None:
        if slots < 1:
            raise ValueError(f"slots must be at least 1, not {slots}")
        self.decoder = decoder
        self.stop = frozenset(stop_ids)
        self.limit = slots
        self.tokens_per_pass = tokens_per_pass or TOKENS_PER_PASS
        self.memory = Memory(remember) if remember else None
        self._queue: deque[_Sequence] = deque()
        self._active: list[_Sequence] = []  # the index is the slot; only the last may have a prompt half read
        self._slots = Slots(decoder)
        self._made = 0

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""
        return len(self._queue)

    @property
    def active(self) -> int:
        """Requests that have a slot."""
        return len(self._active)

    def submit(self, request: Request, path: tuple[Beginning, ...] = ()) -> int:
        """Puts a request in the queue; its number. `path`: beginnings that it shares with others, root first.

        Raises DataError: it cannot be met. Of one for no token at all nothing comes.
        """
        self._check(request)
        self._made += 1
        if request.max_new_tokens:
            prompt = (*self.decoder.opening_ids, *request.prompt)
            self._queue.append(_Sequence(self._made, request, prompt, np.array(prompt, dtype=np.int64), path))
        return self._made

    def _check(self, request: Request) -> None:
        if found := trouble(request, self.decoder.config.context, self.decoder.config.vocab):
            what, seen, move = found
            raise DataError(f"A request {what}.", seen=seen, next_move=move)
        bank = self.decoder.bank
        if request.adapter and (bank is None or request.adapter not in bank.keys):
            raise DataError("A request asks for an adapter that is not loaded.", seen=request.adapter)

    @torch.inference_mode()
    def cancel(self, number: int) -> None:
        """Nothing more comes of a request; its slot is free. One that is finished or unknown is left alone."""
        for sequence in [one for one in self._queue if one.number == number]:
            self._queue.remove(sequence)
            for beginning in sequence.beginnings:
                beginning.leave()
        self._retire([slot for slot, one in enumerate(self._active) if one.number == number])

    def forget(self, adapter: str) -> None:
        """What was remembered under an adapter that goes."""
        if self.memory is not None:
            self.memory.forget(adapter)

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """One pass: a further token of each sequence at work, and prompts of new ones as far as there is room.

        Raises ModelError: the model computes NaN.
        """
        rows = [Row(s.answer[-1], s.filled, s.start, s.above, s.request.adapter) for s in self._active if not s.unread]
        shared, counts = self._start(len(rows))
        begun = self._active[len(rows) :]
        parts = [self._part(len(rows) + at, count) for at, count in enumerate(counts)]
        runs = [*shared, *parts]
        if not rows and not runs:
            return []
        ends = [start + len(run.tokens) - 1 for start, run in zip(run_starts(runs, len(rows)), runs, strict=True)]
        hidden = run_pass(self.decoder, runs, rows, self._slots)
        for sequence in self._active[: len(rows)]:
            sequence.filled += 1
        for sequence, count in zip(begun, counts, strict=True):
            sequence.filled += count
        speak = [s for s in self._active if not s.unread]
        ends = ends[len(shared) :][: len(speak) - len(rows)]
        events = self._choose(speak, hidden[[*range(len(rows)), *ends]]) if speak else []
        self._retire([slot for slot, event in enumerate(events) if event.finished])
        return events

    def _choose(self, speak: Sequence[_Sequence], hidden_N_D: Tensor) -> list[Event]:
        """The next token of each of these."""
        logits_N_V = self.decoder.logits(hidden_N_D)
        asked = [sequence.request for sequence in speak]
        tokens, logprobs = choose(
            logits_N_V,
            [request.temperature for request in asked],
            [request.seed for request in asked],
            [sequence.start + sequence.filled for sequence in speak],
            self.decoder.tokens,
            top_p={row: one.top_p for row, one in enumerate(asked) if one.top_p < 1},
            changed={row: changed_logits(logits_N_V[row], one, speak[row].answer)
                     for row, one in enumerate(asked) if changes(one)},
        )  # fmt: skip
        if not all(math.isfinite(logprob) for logprob in logprobs):
            raise ModelError("The model computed NaN or infinity.", next_move="check its weights, or use float32")
        events = []
        for row, (sequence, token, logprob) in enumerate(zip(speak, tokens, logprobs, strict=True)):
            request, stopped = sequence.request, token in self.stop
            sequence.answer.append(token)
            if request.guide is not None and not stopped:
                request.guide.take(token)
            top = alternatives(logits_N_V[row], request.top, self.decoder.tokens) if request.top else ()
            finished = stopped or len(sequence.answer) == request.max_new_tokens
            events.append(Event(sequence.number, token, logprob, top, stopped, finished))
        return events

    def _start(self, rows: int) -> tuple[list[Run], list[int]]:
        """Takes requests off the queue while slots and the pass have room. Returns the beginnings that must be computed
        for them, and how many tokens are read of each prompt that is not read yet, in the order of their slots."""
        room, shared = self.tokens_per_pass, []
        counts = [min(room, sequence.unread) for sequence in self._active[rows:]]
        room -= sum(counts)
        while self._queue and room > 0:
            sequence = self._queue[0]
            source = self._source(sequence)
            if source is None:
                break
            known, slot = source
            missing = [one for one in sequence.beginnings if one.run is None]
            shared_tokens = sum(len(one.tokens) for one in missing)
            unread = len(sequence.prompt) - max(known.tokens, _covered(sequence))
            # what fits a pass of its own is not torn apart
            if counts and room < shared_tokens + unread <= self.tokens_per_pass:
                break
            start = known.above[-1].stop if known.above else _covered(sequence)
            if not self._has_room(sequence, start):
                break
            self._queue.popleft()
            shared += [one.open(self.decoder) for one in missing]
            sequence.above = known.above or tuple(one.run for one in sequence.beginnings if one.run is not None)
            self._active.append(sequence)
            self._copy(known, slot, sequence)
            counts.append(min(max(room - shared_tokens, 1), sequence.unread))
            room -= shared_tokens + counts[-1]
        self._fit([sequence.filled + count for sequence, count in zip(self._active[rows:], counts, strict=True)])
        return shared, counts

    def _source(self, sequence: _Sequence) -> tuple[Known, int | None] | None:
        """What need not be read of a prompt, and the slot that holds the end of it, where one does. None: another
        sequence is reading what this one needs, so wait."""
        if self.memory is None:
            return Known((), None, 0), None
        if sequence.known is None:
            sequence.known = self.memory.find(sequence.ids, sequence.request.adapter) or Known((), None, 0)
        best: tuple[Known, int | None] = sequence.known, None
        for slot, other in enumerate(self._active):
            if other.request.adapter != sequence.request.adapter:
                continue
            alike = common(other.ids, sequence.ids[:-1])
            if alike >= best[0].tokens + LEAST and alike > other.start:
                if alike > other.start + other.filled:
                    return None
                best = Known(other.above, None, alike), slot
        return best

    def _copy(self, known: Known, slot: int | None, sequence: _Sequence) -> None:
        """Puts into the sequence's slot what need not be read."""
        own = known.tokens - sequence.start
        if slot is None and known.store is None:
            return
        sequence.filled = own
        if len(self._active) > self._slots.size[0] or own > self._slots.size[1]:
            self._fit([sequence.filled for sequence in self._active if sequence.unread])
        source = self._slots.store(slot).part(slice(own)) if slot is not None else known.store
        assert source is not None
        self._slots.store(len(self._active) - 1).put(source)

    def _has_room(self, sequence: _Sequence, start: int) -> bool:
        """Whether one more sequence may have a slot, if each were as long as the longest will be."""
        count = len(self._active) + 1
        longest = max(sequence.need(start), *(other.need(other.start) for other in self._active), 1)
        return count <= self.limit and (count == 1 or count * longest <= TOKENS_IN_SLOTS)

    def _fit(self, coming: Sequence[int]) -> None:
        """Slots for all at work. `coming`: what those whose prompts are read will hold after this pass."""
        rows = self._active[: len(self._active) - len(coming)]
        longest = max((*coming, *(sequence.filled + 1 for sequence in rows)), default=0)
        count, have = len(self._active), self._slots.size[0]
        if count > have:
            count = max(count, min(self.limit, 2 * have, count + len(self._queue)))
        self._slots.fit(count, longest, len(self._active))

    def _part(self, slot: int, count: int) -> Run:
        """The next tokens of the prompt in a slot. What the slot holds already stands above them."""
        sequence = self._active[slot]
        store, at = self._slots.store(slot), sequence.filled
        own, above, adapter = sequence.prompt[sequence.start :], sequence.above, sequence.request.adapter
        if at:
            above = (*above, Run(own[:at], sequence.start, above, store, adapter))
        return Run(own[at : at + count], sequence.start + at, above, store.part(slice(at, None)), adapter)

    def _retire(self, done: Sequence[int]) -> None:
        """Frees these slots, given in order. Slots in use stay in a row, a prompt half read in the last."""
        half = [self._active.pop()] if self._active and self._active[-1].unread else []
        place = len(self._active)
        for slot in reversed(done):
            self._let_go((self._active + half)[slot], self._slots.store(slot))
            if slot == place:
                half = []
                continue
            last = self._active.pop()
            if slot < len(self._active):
                self._slots.move(len(self._active), slot, last.filled)
                self._active[slot] = last
        for sequence in half:
            if len(self._active) < place:
                self._slots.move(place, len(self._active), sequence.filled)
            self._active.append(sequence)
        if not self._active:
            self._slots.clear()

    def _let_go(self, sequence: _Sequence, store: Store) -> None:
        for beginning in sequence.beginnings:
            beginning.leave()
        if self.memory is not None:
            read = (*sequence.prompt, *sequence.answer)[: sequence.start + sequence.filled]
            self.memory.keep(read, sequence.request.adapter, sequence.above, store)


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
    for number, request in enumerate(requests):
        if found := trouble(request, decoder.config.context, decoder.config.vocab):
            what, seen, move = found
            raise DataError(f"A request {what}.", where=f"request {number}", seen=seen, next_move=move)
    engine = Engine(decoder, stop_ids=stop_ids, slots=slots)
    number_of = _submit_all(engine, requests)
    tokens: list[list[int]] = [[] for _ in requests]
    logprobs: list[list[float]] = [[] for _ in requests]
    stopped = [False] * len(requests)
    finished = len(requests) - len(number_of)
    while engine.waiting or engine.active:
        for event in engine.step():
            number = number_of[event.request]
            stopped[number] = event.stopped
            if not event.stopped:
                tokens[number].append(event.token)
                logprobs[number].append(event.logprob)
            if event.finished:
                finished += 1
                if progress is not None:
                    progress(finished)
    return [Completion(tuple(t), tuple(p), s) for t, p, s in zip(tokens, logprobs, stopped, strict=True)]


def _submit_all(engine: Engine, requests: Sequence[Request]) -> dict[int, int]:
    """Puts all that ask for a token in the queue: by shared beginning, so that few of these are at work at a time;
    longest first, so that neighbours have slots of one length. Their places among the requests, by number."""
    opening = engine.decoder.opening_ids
    asked = [number for number, request in enumerate(requests) if request.max_new_tokens > 0]
    prefixes = find_prefixes([(*opening, *requests[number].prompt) for number in asked], worth=WORTH_SHARING)
    paths = beginnings(prefixes)

    def need(at: int) -> int:
        request = requests[asked[at]]
        return len(request.prompt) - prefixes.covered(at) + request.max_new_tokens

    in_order = sorted(range(len(asked)), key=lambda at: (prefixes.paths[at], -need(at), at))
    return {engine.submit(requests[asked[at]], paths[at]): asked[at] for at in in_order}


def stream(decoder: Decoder, request: Request, *, stop_ids: Collection[int]) -> Iterator[int]:
    """The tokens of one request as they come, without the stop token. Raises as `generate`."""
    engine = Engine(decoder, stop_ids=stop_ids, slots=1)
    engine.submit(request)
    return _tokens(engine)


def _tokens(engine: Engine) -> Iterator[int]:
    while engine.waiting or engine.active:
        for event in engine.step():
            if not event.stopped:
                yield event.token


def _covered(sequence: _Sequence) -> int:
    return sequence.beginnings[-1].stop if sequence.beginnings else 0
