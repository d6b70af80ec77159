"""The layout that the user's own words give: columns by name, paths and templates; and what to write where they are
missing."""

from __future__ import annotations

import difflib
from dataclasses import replace

from burnish.core.errors import DataError
from burnish.data.layout import preference
from burnish.data.layout.columns import ANSWERS, COMPLETIONS, PROMPTS, Columns
from burnish.data.layout.fields import root
from burnish.data.layout.format import Format
from burnish.data.layout.template import template_keys
from burnish.data.settings import DataSettings

TOKENS = ("tokens", "words")
TAGS = ("ner_tags", "tags", "labels", "pos_tags")


def by_name(columns: Columns, settings: DataSettings, name: str) -> Format:
    """The format of the columns that the recipe names; what it leaves open has a well-known name.

    Raises DataError: a column is not there, or something is still missing.
    """
    template, completion_template = settings.template or "", settings.completion_template or ""
    plain = (settings.prompt, settings.completion, settings.rejected, settings.score)
    paths = [*(path for path in plain if path), *template_keys(template), *template_keys(completion_template)]
    for path in paths:
        _check_column(path, columns, name)
    prompt = settings.prompt or ("" if template else columns.first(PROMPTS, without=paths))
    asked = Format("columns", prompt=prompt, template=template)
    if not (prompt or template):
        raise cannot_tell("`prompt` is missing beside the columns named.", columns, name)
    if settings.format == "prompts":
        return replace(asked, name="prompts")
    if settings.completion and settings.rejected:
        return replace(asked, name="preference", completion=settings.completion, rejected=settings.rejected)
    pair = preference.seen(columns)
    if pair and settings.format in ("auto", "preference") and set(paths) <= {prompt, *template_keys(template)}:
        return replace(pair, prompt=prompt, context="", template=template)
    if settings.format == "preference":
        raise cannot_tell("Two answers are needed.", columns, name, ", rejected: KEY")
    rated = settings.score or settings.format == "rated"
    wanted = ANSWERS if rated else COMPLETIONS
    completion = settings.completion or ("" if completion_template else columns.first(wanted, without=[*paths, prompt]))
    if not completion and not completion_template:
        raise cannot_tell("`completion` is missing beside the columns named.", columns, name)
    found = replace(asked, completion=completion, completion_template=completion_template)
    if rated and not settings.score:
        raise cannot_tell("`score`, the column that rates the answer, is missing.", columns, name, ", score: KEY")
    return replace(found, name="rated", score=settings.score) if settings.score else found


def _check_column(path: str, columns: Columns, name: str) -> None:
    if root(path, columns.names):
        return
    near = difflib.get_close_matches(path, columns.names, n=1, cutoff=0.5)
    raise DataError(
        f"There is no column {path!r}.",
        where=name,
        seen=f"columns: {listed(columns)}",
        next_move=f"did you mean {near[0]!r}?" if near else "name one of these columns",
    )


def cannot_tell(what: str, columns: Columns, name: str, also: str = "") -> DataError:
    """The error with the recipe line to write."""
    prompt, completion = columns.first(PROMPTS) or "KEY", columns.first(COMPLETIONS) or "KEY"
    tokens, tags = columns.first(TOKENS), columns.first(TAGS)
    line = f"data: {{train: {name}, prompt: {prompt}, completion: {completion}{also}}}"
    move = f"name the question's and the answer's key, as in {line}"
    if tokens and tags and columns.all(tokens, lambda found: isinstance(found, list)):
        move = (
            f"to write out the tagged words, add template: '{{words({tokens})}}' and "
            f"completion_template: '{{entities({tokens}, {tags})}}'"
        )
    elif prompt != "KEY" and completion == "KEY" and len(columns.names) > 1:
        move += "; or, where a grader judges the model's own answers, add format: prompts"
    return DataError(what, where=name, seen=f"keys: {listed(columns)}", next_move=move)


def listed(columns: Columns) -> str:
    """The names of the columns, at most 20."""
    return ", ".join(repr(name) for name in columns.names[:20]) or "none that most rows share"
