"""The rungs of the ladder: each is the same recipe with a few keys set otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from burnish.adapt.settings import LoRASettings
from burnish.core.errors import RecipeError
from burnish.recipe.recipe import Recipe

PLAIN = "none"
Changes = Mapping[str, Any]


def rungs_of(recipe: Recipe) -> dict[str, Changes]:
    """Every rung by name, the unguarded one first. A rung keeps what the recipe itself says of its guard."""
    said = recipe.protect.model_dump(mode="json", exclude_unset=True)

    def guard(name: str) -> Changes:
        own = said.get(name)
        return {"protect": {"level": "none", "scale": "off", name: own if isinstance(own, dict) else {}}}

    plain = {"protect": {"level": "none", "scale": "off"}}
    limit = recipe.protect.forget_limit
    lower = {"adapt.r": max(1, recipe.adapt.r // 4)} if isinstance(recipe.adapt, LoRASettings) else {"adapt.r": 4}
    return {
        PLAIN: plain,
        "low-rank": {**plain, **lower},
        "mlp": {**plain, "adapt.targets": "mlp"},
        "replay": guard("replay"),
        "self-replay": guard("self_replay"),
        "l2": guard("l2"),
        "ewc": guard("ewc"),
        "kl": guard("kl"),
        "osft": {**plain, "adapt": {"type": "osft"}},
        "sdft": {**plain, "objective": {"type": "sdft"}},
        "scale": {"protect": {"level": "none", "scale": "auto", "forget_limit": limit}},
        "light": {"protect": {"level": "light", "forget_limit": limit}},
        "strong": {"protect": {"level": "strong", "forget_limit": limit}},
    }


def chosen_rungs(recipe: Recipe, wanted: Sequence[str]) -> dict[str, tuple[int, Changes]]:
    """The rungs asked for, all where none is named, with the place of each among all of them; the unguarded one always
    and first, since all others are compared with it. Raises RecipeError: there is no such rung."""
    known = rungs_of(recipe)
    if unknown := [name for name in wanted if name not in known]:
        raise RecipeError(
            "There is no such rung.",
            where="--rungs",
            seen=", ".join(unknown),
            next_move=f"some of: {', '.join(known)}",
        )
    places = {name: place for place, name in enumerate(known)}
    taken = [name for name in known if not wanted or name == PLAIN or name in wanted]
    return {name: (places[name], known[name]) for name in taken}
