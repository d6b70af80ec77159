"""What the stage reads: the test rows, which nothing else opens, and train and dev, from which the prompt is made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.core.errors import DataError
from burnish.core.records import Chat, Pair, Row, Text
from burnish.core.run_folder import RunFolder
from burnish.data.canaries import is_canary
from burnish.data.card import read_card
from burnish.data.rows import read_rows
from burnish.data.shape import NEARLY_ALL
from burnish.evals.prompt_search import MOST_DEV_ROWS
from burnish.evals.settings import EvaluateSettings
from burnish.graders.entities import are_spans, entities_in
from burnish.graders.settings import BY_SHAPE, AutoMetric, EntitiesMetric, NamedMetric, TextMetric


@dataclass(frozen=True)
class TaskData:
    """One of three is filled: `test` with conversations, `texts` with passages (plain text data), `pairs` with
    preferences. `left_out`: rows beside conversations, which no grader can grade. `context`: longest row in tokens.
    `kind`: shape of the answers. `metric`: how conversations are graded. `keys`: those of nearly all JSON answers.
    `labels`: all of a label task. `canaries`: the rows of train that were planted; they stand nowhere else.
    """

    kind: str
    metric: NamedMetric
    context: int
    train: tuple[Chat, ...]
    dev: tuple[Chat, ...]
    test: tuple[Chat, ...]
    texts: tuple[Text, ...]
    pairs: tuple[Pair, ...] = ()
    left_out: int = 0
    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    canaries: tuple[Chat | Text, ...] = ()


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
    _check_columns(rows, settings.groups, folder)
    learnt = read_rows(folder.train)
    train, dev = _chats(learnt), _chats(read_rows(folder.dev))
    if not dev:  # then the first rows of train serve as dev, and never as examples
        dev, train = train[:MOST_DEV_ROWS], train[MOST_DEV_ROWS:]
    metric = _metric(settings, card.shape.kind, (*train, *dev))
    return TaskData(
        kind="preference" if pairs else _kind(metric, card.shape.kind),
        metric=metric,
        context=card.context,
        train=train,
        # shuffled, because the search begins with the first ones
        dev=tuple(random.Random(f"{seed} dev").sample(dev, min(MOST_DEV_ROWS, len(dev)))),
        test=chats,
        texts=texts,
        pairs=pairs,
        left_out=len(rows) - len(chats or pairs or texts),
        keys=card.shape.json_keys,
        labels=card.shape.labels,
        canaries=tuple(row for row in learnt if isinstance(row, Chat | Text) and is_canary(row)),
    )


def _check_columns(rows: Sequence[Row], columns: Sequence[str], folder: RunFolder) -> None:
    """Raises DataError: no test row has one of these columns."""
    known = {column for row in rows if isinstance(row, Chat | Pair | Text) for column in row.meta}
    for column in columns:
        if column not in known:
            raise DataError(
                "No test row has this column to group by.",
                where="evaluate.groups",
                seen=column,
                next_move=f"name a column of the file that {folder.test.name} was made of, then `burnish prepare`",
            )


def metric_to_use(folder: RunFolder, settings: EvaluateSettings) -> NamedMetric | None:
    """How conversations will be graded, told without a look at the test; None where train and dev hold none."""
    chats = _chats([*read_rows(folder.train), *read_rows(folder.dev)])
    return _metric(settings, read_card(folder.data_card).shape.kind, chats) if chats else None


def _metric(settings: EvaluateSettings, kind: str, rows: Sequence[Chat]) -> NamedMetric:
    """The metric that the recipe names, else that of the answers' shape."""
    if not isinstance(settings.metric, AutoMetric):
        return settings.metric
    if kind in ("json", "text") and _hold_entities(rows):
        return EntitiesMetric()
    return BY_SHAPE.get(kind, TextMetric())


def _hold_entities(rows: Sequence[Chat]) -> bool:
    """Nearly all answers hold entities of their prompt and no other, and at least half of them hold any."""
    spans = sum(are_spans(row.prompt_text, row.answer) for row in rows)
    return spans >= NEARLY_ALL * len(rows) and 2 * sum(bool(entities_in(row.answer)) for row in rows) >= len(rows) > 0


def _kind(metric: NamedMetric, kind: str) -> str:
    """The shape of the answers, by which prompts are made: what the metric says about it, else what the card says."""
    return metric.type if metric.type in BY_SHAPE else kind


def _chats(rows: Sequence[Row]) -> tuple[Chat, ...]:
    return tuple(row for row in rows if isinstance(row, Chat) and not is_canary(row))


def _sample(rows: Sequence[Row], most: int | None, seed: str) -> list[Row]:
    """At most so many rows, drawn by the seed, in their old order."""
    if most is None or len(rows) <= most:
        return list(rows)
    return [rows[index] for index in sorted(random.Random(seed).sample(range(len(rows)), most))]
