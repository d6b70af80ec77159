"""A function over chunks of work on all cores, answers in order, with a bounded number of chunks in flight."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")
FEW = 8  # chunks: with fewer, other processes take longer to start than they save


def in_order(
    function: Callable[[list[Work]], list[Answer]], work: Iterable[Work], *, chunk: int, workers: int
) -> Iterator[Answer]:
    """function's answers for all of `work`, chunk by chunk. Little work, or one worker, stays in this process.

    The answers do not depend on how many workers there are.
    """
    source = iter(work)
    chunks = iter(lambda: list(islice(source, chunk)), [])
    first = list(islice(chunks, FEW))
    if len(first) < FEW or workers < 2 or sys.platform != "linux":
        # Elsewhere a new process would import the user's own script again.
        for one in chain(first, chunks):
            yield from function(one)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting: deque[Future[list[Answer]]] = deque()
        for one in chain(first, chunks):
            waiting.append(pool.submit(function, one))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
