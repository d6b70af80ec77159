"""One thread computes for all requests: it alone touches the engines. Requests come to it as orders, tokens go back to
the event loop that asked, all of one pass at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Protocol, TypeVar

import torch

from burnish.core.errors import DataError
from burnish.core.hardware import return_free_memory
from burnish.generate.engine import Engine
from burnish.generate.request import Event, Request
from burnish.server.api_error import ApiError

T = TypeVar("T")
TIDY_EVERY = 2.0  # seconds: what is remembered comes and goes in pieces between which free memory would pile up
CAPACITY = 256  # requests at work or waiting; beyond that they are refused, not kept


class Place(Protocol):
    """A model that requests can be put to. `renew` gives it an engine without requests, after one that failed."""

    @property
    def engine(self) -> Engine: ...

    def renew(self) -> None: ...


@dataclass(eq=False)
class _Ticket:
    """A request, and where its tokens go."""

    place: Place
    request: Request
    loop: asyncio.AbstractEventLoop
    inbox: asyncio.Queue[Event | Exception] = field(default_factory=asyncio.Queue)
    number: int | None = None  # the engine's, once it has taken the request


class Worker:
    """The thread. `capacity` bounds how many requests are in it."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._load = 0
        self._count = Lock()
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._work: dict[Place, dict[int, _Ticket]] = {}  # by the engine's numbers
        self._cores = torch.get_num_threads()
        self._thread = Thread(target=self._run, name="burnish worker", daemon=True)
        self._thread.start()

    @property
    def load(self) -> int:
        """How many requests are at work or wait."""
        return self._load

    def admit(self, count: int) -> None:
        """Takes room for so many requests, which `release` gives back. Raises ApiError: there is none."""
        with self._count:
            if self._load + count > self.capacity:
                raise ApiError(
                    429,
                    f"The server is at its capacity of {self.capacity} requests. Try again in a moment.",
                    kind="rate_limit_error",
                    code="rate_limit_exceeded",
                )
            self._load += count

    def release(self, count: int) -> None:
        """The inverse of `admit`."""
        with self._count:
            self._load -= count

    async def events(self, place: Place, request: Request) -> AsyncGenerator[Event, None]:
        """The tokens of a request as they come. Leaving the loop early cancels it.

        Raises ApiError: the request cannot be met (400), or the pass that it was in failed (500).
        """
        ticket = _Ticket(place, request, asyncio.get_running_loop())
        self._orders.put(partial(self._begin, ticket))
        try:
            while True:
                said = await ticket.inbox.get()
                if isinstance(said, Exception):
                    raise said
                yield said
                if said.finished:
                    return
        finally:
            self._orders.put(partial(self._end, ticket))

    def do(self, work: Callable[[], T]) -> Future[T]:
        """Has something done between two passes, such as loading an adapter into a network that is in use."""
        result: Future[T] = Future()

        def order() -> None:
            try:
                result.set_result(work())
            except BaseException as error:  # whoever waits is told; the thread goes on
                result.set_exception(error)

        self._orders.put(order)
        return result

    def close(self) -> None:
        """Ends the thread after the pass that it is in."""
        self._orders.put(None)
        self._thread.join()

    def _run(self) -> None:
        torch.set_num_threads(self._cores)
        torch.get_num_threads()  # settles it for this thread, before another one sets its own
        tidy = 0.0
        while True:
            while not (self._orders.empty() and self._work):
                order = self._orders.get()
                if order is None:
                    return
                order()
            for place in list(self._work):
                self._step(place)
            if time.monotonic() > tidy:
                return_free_memory()
                tidy = time.monotonic() + TIDY_EVERY

    def _begin(self, ticket: _Ticket) -> None:
        try:
            ticket.number = ticket.place.engine.submit(ticket.request)
        except DataError as error:
            said = f"{error.what} {error.seen}".strip()
            _tell({ticket.loop: [(ticket, ApiError(400, said))]})
        except Exception as error:  # a fault of ours must not end the thread
            _tell({ticket.loop: [(ticket, _failed(error))]})
        else:
            self._work.setdefault(ticket.place, {})[ticket.number] = ticket

    def _end(self, ticket: _Ticket) -> None:
        """Cancels what is not finished. An answer that ended was forgotten before."""
        tickets = self._work.get(ticket.place, {})
        if ticket.number is not None and tickets.get(ticket.number) is ticket:
            ticket.place.engine.cancel(ticket.number)
            self._forget(ticket.place, ticket.number)

    def _forget(self, place: Place, number: int) -> None:
        tickets = self._work[place]
        del tickets[number]
        if not tickets:
            del self._work[place]

    def _step(self, place: Place) -> None:
        """One pass of an engine."""
        said: dict[asyncio.AbstractEventLoop, list[tuple[_Ticket, Event | Exception]]] = {}
        try:
            events = place.engine.step()
        except Exception as error:  # whatever it is, these requests fail and the next ones find a new engine
            for ticket in self._work.pop(place).values():
                said.setdefault(ticket.loop, []).append((ticket, _failed(error)))
            place.renew()
        else:
            for event in events:
                ticket = self._work[place][event.request]
                said.setdefault(ticket.loop, []).append((ticket, event))
                if event.finished:
                    self._forget(place, event.request)
        _tell(said)


def leave_the_cores() -> None:
    """For a thread that loads. OpenMP keeps a pool for every thread that computes on several cores; with a second pool
    there are more threads than cores, all of them sleep between products, and each pass takes twice as long."""
    torch.set_num_threads(1)


def _failed(error: Exception) -> ApiError:
    logging.getLogger("burnish.server").error("a pass failed: %s", type(error).__name__)
    return ApiError(500, f"The model failed to compute an answer: {type(error).__name__}.", kind="server_error")


def _tell(said: dict[asyncio.AbstractEventLoop, list[tuple[_Ticket, Event | Exception]]]) -> None:
    """Hands tokens to those who wait for them, waking each loop once."""
    for loop, parts in said.items():
        try:
            loop.call_soon_threadsafe(_hand_over, parts)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def _hand_over(parts: list[tuple[_Ticket, Event | Exception]]) -> None:
    for ticket, said in parts:
        ticket.inbox.put_nowait(said)
