"""A function over chunks of work on all cores, answers in order, with a bounded number of chunks in flight."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")
FEW = 8  # chunks: with fewer, other processes take longer to start than they save
_inherited: list[Callable[[Any], Any]] = []  # of a worker: its function, which need not be one that pickle knows


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
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(function,)) as pool:
        waiting: deque[Future[list[Answer]]] = deque()
        for one in chain(first, chunks):
            waiting.append(pool.submit(_answer, one))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _begin(function: Callable[[Any], Any]) -> None:
    gc.freeze()  # what was inherited stays to the end: to look through it for garbage copies it, a quarter of the time
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the threads of the tokenizers did not come along
    _inherited.append(function)


def _answer(chunk: list[Any]) -> Any:
    return _inherited[-1](chunk)
