"""What the stage reads: the test rows, which nothing else opens, and train and dev, from which the prompt is made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.core.errors import DataError
from burnish.core.records import Chat, Pair, Row, Text
from burnish.core.run_folder import RunFolder
from burnish.data.card import read_card
from burnish.data.rows import read_rows
from burnish.evals.prompt_search import MOST_DEV_ROWS
from burnish.evals.settings import EvaluateSettings


@dataclass(frozen=True)
class TaskData:
    """One of three is filled: `test` with conversations, `texts` with passages (plain text data), `pairs` with
    preferences. `left_out`: rows beside conversations, which no grader can grade. `context`: longest row in tokens.
    `kind`: shape of the answers.
    """

    kind: str
    context: int
    train: tuple[Chat, ...]
    dev: tuple[Chat, ...]
    test: tuple[Chat, ...]
    texts: tuple[Text, ...]
    pairs: tuple[Pair, ...] = ()
    left_out: int = 0


def read_task_data(folder: RunFolder, settings: EvaluateSettings, seed: int) -> TaskData:
    """Reads the parts and the data card. Raises DataError: test is empty, or known to the model."""
    card = read_card(folder.data_card)
    if card.leaks_kept:
        raise DataError(
            "There is no verdict: rows to learn from give the test away.",
            where=str(folder.flagged),
            seen=f"{card.leaks_kept} rows",
            next_move="leave them out: --set data.leaks=drop --fresh",
        )
    rows = _sample(read_rows(folder.test), settings.items, f"{seed} test")
    if not rows:
        raise DataError(
            "There is no row to test on.", where=str(folder.test), next_move="give more data, or a test file"
        )
    chats = _chats(rows)
    pairs = () if chats else tuple(row for row in rows if isinstance(row, Pair))
    texts = () if chats or pairs else tuple(row for row in rows if isinstance(row, Text))
    train, dev = _chats(read_rows(folder.train)), _chats(read_rows(folder.dev))
    if not dev:  # then the first rows of train serve as dev, and never as examples
        dev, train = train[:MOST_DEV_ROWS], train[MOST_DEV_ROWS:]
    return TaskData(
        kind="preference" if pairs else card.shape.kind if settings.metric == "auto" else settings.metric,
        context=card.context,
        train=train,
        # shuffled, because the search begins with the first ones
        dev=tuple(random.Random(f"{seed} dev").sample(dev, min(MOST_DEV_ROWS, len(dev)))),
        test=chats,
        texts=texts,
        pairs=pairs,
        left_out=len(rows) - len(chats or pairs or texts),
    )


def _chats(rows: Sequence[Row]) -> tuple[Chat, ...]:
    return tuple(row for row in rows if isinstance(row, Chat))


def _sample(rows: Sequence[Row], most: int | None, seed: str) -> list[Row]:
    """At most so many rows, drawn by the seed, in their old order."""
    if most is None or len(rows) <= most:
        return list(rows)
    return [rows[index] for index in sorted(random.Random(seed).sample(range(len(rows)), most))]
