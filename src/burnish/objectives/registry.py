"""Which rows each objective learns from."""

from __future__ import annotations

from collections.abc import Mapping

from burnish.core.errors import RecipeError
from burnish.core.records import Chat, Pair, Prompt, Rated, Row, Text

LEARNS_FROM: Mapping[str, tuple[type, ...]] = {"sft": (Chat, Text), "dpo": (Pair,), "sdft": (Chat,)}
KINDS: Mapping[type, str] = {
    Chat: "a conversation",
    Text: "plain text",
    Pair: "a chosen and a rejected answer",
    Rated: "a rated answer",
    Prompt: "a prompt without an answer",
}


def has_objective(row: Row) -> bool:
    """Whether any objective learns from such rows. Others may be prepared, and not yet be learnt."""
    return any(isinstance(row, kinds) for kinds in LEARNS_FROM.values())


def check_row(objective: str, row: Row) -> None:
    """Raises RecipeError: the objective cannot learn from this kind of row."""
    if isinstance(row, LEARNS_FROM[objective]):
        return
    fitting = next((name for name, kinds in LEARNS_FROM.items() if isinstance(row, kinds)), None)
    raise RecipeError(
        f"`objective: {objective}` does not learn from such rows.",
        where=row.source or row.id,
        seen=f"{KINDS[type(row)]}, where it needs {' or '.join(KINDS[kind] for kind in LEARNS_FROM[objective])}",
        next_move=f"set `objective: {fitting}` (--set objective={fitting}), or name another file"
        if fitting
        else "no objective learns from such rows yet: name another file, or the columns of a prompt and an answer",
    )
