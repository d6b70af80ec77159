"""What all routes of one server share, and the one thread that renders and tokenises prompts: long ones take a moment,
and the event loop must not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TypeVar

from burnish.core.errors import DataError, ModelError
from burnish.server.answering import Asking, Question, Tally, answers
from burnish.server.api_error import ApiError
from burnish.server.catalog import Catalog
from burnish.server.metrics import Metrics
from burnish.server.writer import Piece

T = TypeVar("T")


class Desk:
    """The catalogue, the counts, the thread."""

    def __init__(self, catalog: Catalog, *, longest: int) -> None:
        self.catalog, self.metrics = catalog, Metrics(catalog.worker)
        self.longest = longest  # tokens of an answer, where a request names no limit
        # One thread: a tokenizer may not be asked by two at once.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="burnish rendering")

    async def render(self, work: Callable[[], T]) -> T:
        """Does it in the thread. Raises ApiError: template or tokenizer refuse the conversation, or fail on it."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (DataError, ModelError) as error:
            raise ApiError(400, f"{error.what} {error.seen}".strip(), param="messages") from error

    def asking(self) -> Asking:
        """For one request, which begins now."""
        return Asking(self.catalog.worker, self.metrics)

    async def pieces(
        self, asking: Asking, questions: list[Question], tally: Tally
    ) -> AsyncGenerator[tuple[int, Piece], None]:
        """`answers`, counted."""
        model = questions[0].served.name
        self.metrics.prompt_tokens.labels(model).inc(sum(len(asked.prompt) for asked in questions))
        try:
            async with aclosing(answers(asking, questions, tally)) as coming:
                async for piece in coming:
                    yield piece
        finally:
            self.metrics.completion_tokens.labels(model).inc(tally.completion)
