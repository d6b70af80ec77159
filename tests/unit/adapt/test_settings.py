"""Combinations that mean nothing are refused when the recipe is read, with the key."""

from __future__ import annotations

import pytest

from burnish.adapt.settings import LoRASettings
from burnish.core.errors import RecipeError
from burnish.core.settings import build, parse_yaml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("targets: [lm_head]", "lm_head can't take a low-rank update"),
        ("{dora: true, dropout: 0.1}", "dora and dropout exclude each other"),
        ("dropout: 1.0", "`dropout` is wrong"),
        ("ranks: {down_proj: 0}", "`ranks.down_proj` is wrong"),
        ("plus_ratio: 0.5", "`plus_ratio` is wrong"),
        ("start: svd", "`start` is wrong"),
    ],
)
def test_what_can_not_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build(LoRASettings, parse_yaml(text, "recipe.yaml"))
