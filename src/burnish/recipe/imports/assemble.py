"""Notes → a recipe that Burnish accepts. What it refuses is taken out, and the note says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from burnish.core.errors import RecipeError
from burnish.core.settings import Document, build, written_path
from burnish.recipe.imports.contract import Given, Imported, Note, Outcome
from burnish.recipe.imports.values import is_blank
from burnish.recipe.recipe import Recipe, expand

ORDER = ("name", "model", "data", "objective", "adapt", "train", "evaluate", "export")


@dataclass(frozen=True)
class Assumption:
    """What the tool does where the file says nothing: a recipe that said nothing either would do something else.

    `value` may be worked out from the other settings; None stands for no assumption. `unless` names further keys that
    say the same thing in another way.
    """

    key: str
    target: str
    value: Any | Callable[[Given], Any]
    text: str = ""
    unless: tuple[str, ...] = ()

    def note(self, given: Given) -> Note | None:
        if any(not is_blank(given.values.get(key)) for key in (self.key, *self.unless)):
            return None
        value = self.value(given) if callable(self.value) else self.value
        text = self.text or "the tool's default"
        return None if value is None else Note(f"{self.key} (not set)", value, "added", text, {self.target: value})


def assume(notes: Sequence[Note], given: Given, assumptions: Sequence[Assumption]) -> list[Note]:
    """The notes, and one for each assumption about a recipe key that none of them sets."""
    settled = {target for note in notes for target in note.sets}
    added = [one.note(given) for one in assumptions if one.target not in settled]
    return [*notes, *(note for note in added if note is not None)]


def finish(tool: str, notes: Sequence[Note]) -> Imported:
    """The recipe that the notes describe, checked as any recipe is."""
    blocked = next((note.text for note in notes if note.blocks), "")
    settled = without_conflicts(notes)
    while not blocked:
        recipe = assembled(settled)
        error = refusal(recipe)
        if error is None:
            return Imported(tool, recipe, tuple(settled))
        if error["type"] == "missing":
            blocked = missing_part(error["loc"])
        else:
            settled = without_refused(settled, error, recipe)
    return Imported(tool, {}, tuple(settled), blocked)


def missing_part(location: tuple[int | str, ...]) -> str:
    """What a recipe cannot do without, and how to say it."""
    if location[0] in ("model", "data"):
        what = "model" if location[0] == "model" else "data to train on"
        return f"the file names no {what}: give it with --{location[0]}"
    return f"{'.'.join(map(str, location))} is missing"


def without_conflicts(notes: Sequence[Note]) -> list[Note]:
    """Of two keys that set one recipe key differently the earlier counts."""
    chosen: dict[str, tuple[Note, Any]] = {}
    kept = []
    for note in notes:
        other = next((chosen[t][0] for t, value in note.sets.items() if t in chosen and chosen[t][1] != value), None)
        if other is not None:
            outcome: Outcome = "ignored" if other.outcome == "added" else "missing"
            kept.append(replace(note, outcome=outcome, text=f"`{other.key}` says it otherwise, and counts", sets={}))
            continue
        chosen |= {target: (note, value) for target, value in note.sets.items()}
        kept.append(note)
    return kept


def assembled(notes: Sequence[Note]) -> dict[str, Any]:
    """Nested groups in the usual order."""
    recipe: dict[str, Any] = {}
    flat = {target: value for note in notes for target, value in note.sets.items()}
    for target in sorted(flat, key=lambda target: ORDER.index(target.split(".")[0])):
        *groups, last = target.split(".")
        inner = recipe
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = flat[target]
    return recipe


def refusal(recipe: dict[str, Any]) -> Any:
    """pydantic's first complaint about a recipe, or None."""
    try:
        build(Recipe, expand(Document(recipe)))
    except RecipeError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        return error.__cause__.errors()[0]
    return None


def without_refused(notes: Sequence[Note], error: Any, recipe: dict[str, Any]) -> list[Note]:
    """The notes, those of a refused value without it. Raises RecipeError: the complaint is about no single value."""
    path = ".".join(map(str, written_path(error["loc"], expand(Document(recipe)).values)))
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":  # the location holds the tag of the union: adapt, full, r
        reason = f"does not apply to `{error['loc'][0]}: {error['loc'][1]}`"
    hit = [any(_within(target, path) for target in note.sets) for note in notes]
    if not any(hit):
        raise RecipeError("The settings do not make a recipe.", where=path, seen=reason)
    text = f"{path}: {reason[:1].lower()}{reason[1:]}; left at Burnish's default"
    return [
        replace(note, outcome="missing", text=text, sets={}) if refused else note
        for note, refused in zip(notes, hit, strict=True)
    ]


def _within(target: str, path: str) -> bool:
    """Whether a complaint about `path` is about what stands at `target`."""
    return target == path or path.startswith(f"{target}.")
