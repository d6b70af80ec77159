"""The layout of a file's rows, found by looking at their keys and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from burnish.core.errors import DataError
from burnish.data.layout import alpaca, choice, conversation, plain, preference, prompt_answer, prompts, rated
from burnish.data.layout import question_answer as questions
from burnish.data.layout.by_name import by_name, cannot_tell, listed
from burnish.data.layout.columns import PARTS_OF_A_QUESTION, PROMPTS, Columns, columns_of
from burnish.data.layout.fields import root
from burnish.data.layout.format import Format
from burnish.data.settings import DataSettings

# The most telling first.
CANDIDATES: Sequence[Callable[[Columns], Format | None]] = (
    preference.seen,
    rated.seen,
    prompts.seen,
    conversation.seen,
    choice.seen,
    alpaca.seen,
    questions.seen,
    prompt_answer.seen,
    plain.dialogue_seen,
    plain.seen,
    prompt_answer.labels_seen,
)
LabelNames = Mapping[str, Sequence[str]]


def recognise(
    rows: Sequence[Mapping[str, Any]],
    settings: DataSettings,
    name: str,
    *,
    like: Format | None = None,
    label_names: LabelNames | None = None,
) -> Format:
    """The format of a file, of which `rows` are the first. `like`, the format of the train file, wins where its keys
    are there. `label_names`: what the file itself says that the numbers of a column stand for.

    Raises DataError: no format fits, or more than one could; it lists the keys and the recipe line to write.
    """
    columns = columns_of(rows)
    if like is not None and like.fits(columns.names):
        return _with_labels(like, settings, columns, label_names or {})
    found = by_name(columns, settings, name) if settings.names_columns else _by_look(columns, settings, name)
    return _with_labels(found, settings, columns, label_names or {})


def _by_look(columns: Columns, settings: DataSettings, name: str) -> Format:
    for found in _candidates(columns, settings.format):
        if settings.format in ("auto", found.name):
            _refuse_unread_context(found, columns, name)
            _refuse_rows_as_names(found, columns, name)
            return found
    if settings.format != "auto":
        also = ", format: rated, score: KEY" if settings.format == "rated" else ""
        raise cannot_tell(f"These rows are not laid out as `{settings.format}`.", columns, name, also)
    question = columns.first(PROMPTS)
    what = f"The question may be {question!r}, but" if question else "Cannot tell which key holds the question;"
    raise cannot_tell(f"{what} no key holds the answer.", columns, name)


def _candidates(columns: Columns, asked_for: str) -> Iterator[Format]:
    if asked_for == "prompts":
        yield from filter(None, [prompts.asked_for(columns)])
    yield from filter(None, (seen(columns) for seen in CANDIDATES))


def _with_labels(found: Format, settings: DataSettings, columns: Columns, label_names: LabelNames) -> Format:
    """The format with the names of its numbered labels: the user's, or the file's own."""
    paths = (found.completion, *(path for path in found.needed if path != found.completion))
    own = next((label_names[key] for path in paths if (key := root(path, columns.names)) in label_names), ())
    return replace(found, labels=tuple(settings.labels or own)) if settings.labels or own else found


def _refuse_rows_as_names(found: Format, columns: Columns, name: str) -> None:
    """A table without a header: its first row would be lost, and its columns be called by what stands there."""
    if not columns.first(PROMPTS) and found.completion in columns.values(found.completion):
        raise DataError(
            "The first line seems to be a row, not the names of the columns.",
            where=name,
            seen=f"{listed(columns)}; {found.completion!r} also stands in rows below",
            next_move="write a line of names above it, such as prompt,completion",
        )


def _refuse_unread_context(found: Format, columns: Columns, name: str) -> None:
    context = columns.first(PARTS_OF_A_QUESTION, without=found.read)
    if found.name == "prompt_completion" and context:
        raise DataError(
            f"The prompt is {found.prompt!r}, but there is {context!r} too, which the answer may need.",
            where=name,
            seen=f"keys: {listed(columns)}",
            next_move=f"join them with template: '{{{context}}}\\n\\n{{{found.prompt}}}', "
            f"or leave it out with prompt: {found.prompt}",
        )
