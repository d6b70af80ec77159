"""What may be done with a base whose weights are kept in fewer bits."""

from __future__ import annotations

from burnish.adapt.settings import AdaptSettings, FreezeSettings, FullSettings, PeftSettings
from burnish.core.errors import RecipeError


def check_packed(settings: AdaptSettings, form: str) -> None:
    """Raises RecipeError: the method changes the base's own weights, or wants them dense, and `form` is not dense."""
    if form != "dense" and isinstance(settings, FullSettings | FreezeSettings | PeftSettings):
        raise RecipeError(
            f"`adapt.type: {settings.type}` needs the base's weights dense.",
            where="model.weights",
            seen=form,
            next_move="set adapt.type to lora, or model.weights to dense",
        )
