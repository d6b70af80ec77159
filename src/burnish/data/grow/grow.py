"""Rows of train and passages of documents → made rows, each marked with how, by whom and from what it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from burnish.core.asking import Answer, Asked, Model, Writer, answers
from burnish.core.errors import DataError
from burnish.core.records import Chat, Dropped, Row, Text
from burnish.data.cleaning.outcome import Cleaned
from burnish.data.grow import paraphrase, questions, rewrite
from burnish.data.grow.documents import Passage
from burnish.data.grow.made import Kind, Made
from burnish.data.grow.paraphrase import Frame
from burnish.data.grow.plan import Task, tasks
from burnish.data.grow.reasons import Rejected
from burnish.data.grow.settings import MADE_ID, GrowSettings
from burnish.data.take import content_id

REPLY_CHARACTERS = 2000  # of a reply that is not used, in dropped.jsonl
# Before "file:line", so that the place can still be read off the end, and rows of one kind and file be counted.
MADE_FROM: dict[Kind, str] = {"paraphrase": "paraphrase of", "question": "question on", "rewrite": "rewriting of"}
Clean: TypeAlias = Callable[[Row], Cleaned]


def grow(
    rows: Iterable[Row],
    passages: Iterable[Passage],
    settings: GrowSettings,
    writer: Writer,
    *,
    kept: Path,
    seed: int,
    clean: Clean,
) -> Iterator[Made | Dropped]:
    """Made rows, at most `settings.most`, and for each reply or part of one that is not used, why.

    `rows` must be those of train alone, after the split. `clean` is what every row goes through by itself. `kept` is
    the file of answers: the same run again asks nothing. What is dropped here is no row of the user's.

    Raises DataError: there is nothing to make rows from, or the model does not answer.
    """
    planned = tasks(rows, passages, settings, seed)
    if not planned:
        raise DataError(
            "There is nothing to make rows from.",
            where="data.grow",
            next_move="`paraphrase` needs prompts, `rewrite` conversations, `questions` plain texts or `documents`",
        )
    frame = paraphrase.frame_of([_text(task.origin) for task in planned if task.kind == "paraphrase"])
    asked = (_asked(task, settings, frame, seed) for task in planned)
    made = 0
    for task, answer in zip(planned, answers(asked, writer, kept), strict=True):
        for found in _read(task, answer, settings, frame):
            one = found if isinstance(found, Dropped) else _cleaned(task, found, clean)
            if isinstance(one, Dropped):
                yield one
                continue
            yield _made(task, one, settings, writer.model)
            made += 1
            if made == settings.most:
                return


def _text(origin: Row | Passage) -> str:
    return "" if isinstance(origin, Passage | Text) else origin.prompt[-1].content


def _asked(task: Task, settings: GrowSettings, frame: Frame, seed: int) -> Asked:
    """What the model is told. A text in other words needs hardly more tokens than the text has characters."""
    most = settings.max_new_tokens
    match task:
        case Task("question", Passage() as passage):
            messages = questions.request(passage, settings.questions)
        case Task("rewrite", Chat() as row):
            messages = rewrite.request(row, settings.rewrite or "")
        case Task("paraphrase", row) if not isinstance(row, Passage | Text):
            messages = paraphrase.request(row, frame)
            most = min(most, 48 + len(frame.inside(_text(row))))
        case _:
            raise AssertionError(task.kind)
    return Asked(messages, most, settings.temperature, task.seed(seed))


def _read(task: Task, answer: Answer, settings: GrowSettings, frame: Frame) -> Iterator[Row | Dropped]:
    """The rows of one reply."""
    try:
        if answer.refused:
            raise Rejected("made_request_refused", answer.refused)
        match task:
            case Task("question", Passage() as passage):
                yield from _read_questions(task, passage, answer, settings)
            case Task("rewrite", Chat() as row):
                same = settings.language == "same"
                yield rewrite.rewritten(row, settings.rewrite or "", answer, same_language=same)
            case Task("paraphrase", row) if not isinstance(row, Passage | Text):
                yield paraphrase.paraphrased(row, frame, answer)
    except Rejected as rejected:
        yield _dropped(task, rejected, {"reply": answer.text[:REPLY_CHARACTERS]})


def _read_questions(task: Task, passage: Passage, answer: Answer, settings: GrowSettings) -> Iterator[Row | Dropped]:
    found = questions.pairs(answer.text)
    if not answer.whole:
        found = found[:-1]  # the last one was cut off
        if not found:
            raise Rejected("made_too_long", "cut off")
    for asked, said in found[: settings.questions]:
        try:
            yield questions.question_row(passage, asked, said)
        except Rejected as rejected:
            yield _dropped(task, rejected, {"question": asked, "answer": said})


def _cleaned(task: Task, row: Row, clean: Clean) -> Cleaned | Dropped:
    """The row after its own cleaning. A doubt that its origin does not raise is enough to leave it out."""
    cleaned = clean(replace(row, source=_source(task)))
    if cleaned.dropped is not None:
        return cleaned.dropped
    assert cleaned.row is not None
    known = {one.reason for one in clean(task.origin).flagged} if not isinstance(task.origin, Passage) else set()
    doubt = next((one for one in cleaned.flagged if one.reason not in known), None)
    if doubt is not None:
        return _dropped(task, Rejected("made_doubtful", f"{doubt.reason}: {doubt.detail}"), cleaned.row.to_json())
    return cleaned


def _made(task: Task, cleaned: Cleaned, settings: GrowSettings, model: Model) -> Made:
    assert cleaned.row is not None
    name = f"{content_id(cleaned.row)}{MADE_ID}"
    row = replace(cleaned.row, id=name, group=task.origin.group)
    flagged = tuple(replace(one, id=name) for one in cleaned.flagged)
    instead = task.origin.id if task.kind == "rewrite" and settings.rewritten == "instead" else ""
    return Made(row, task.kind, model, task.origin.id, task.origin.source, instead, flagged)


def _source(task: Task) -> str:
    return f"{MADE_FROM[task.kind]} {task.origin.source}"


def _dropped(task: Task, rejected: Rejected, row: dict[str, Any]) -> Dropped:
    return Dropped(_source(task), rejected.reason, rejected.detail, row)
