from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.core.errors import RecipeError
from burnish.core.settings import parse_yaml
from burnish.guards.settings import ProtectSettings
from burnish.recipe.recipe import Recipe, read_recipe, write_recipe


def recipe(changes: dict[str, Any]) -> Recipe:
    return read_recipe(None, model="tiny", data="rows.jsonl", changes=changes)[0]


def test_levels_choose_guards_and_what_is_set_comes_first() -> None:
    assert ProtectSettings().rungs.names == ()
    assert ProtectSettings(level="light").rungs.names == ("self_replay",)
    mixed = ProtectSettings.model_validate({"level": "strong", "kl": "off", "l2": {"weight": 0.5}}).rungs
    assert mixed.names == ("l2",)
    assert mixed.l2 is not None
    assert mixed.l2.weight == 0.5


def test_a_level_alone_is_enough() -> None:
    assert recipe({"protect": "strong"}).protect.rungs.names == ("kl",)
    with pytest.raises(RecipeError, match="protect"):
        recipe({"protect": "a lot"})


def test_a_level_puts_lora_on_the_mlp_matrices_unless_the_recipe_says_which() -> None:
    for changes, expected in (
        ({"protect": "light"}, "mlp"),
        ({"protect": "none"}, "all-linear"),
        ({"protect.l2": {}}, "all-linear"),
        ({"protect": "light", "adapt.r": 8}, "mlp"),
        ({"protect": "light", "adapt.targets": "all-linear"}, "all-linear"),
    ):
        adapt = recipe(changes).adapt
        assert isinstance(adapt, LoRASettings)
        assert adapt.targets == expected
    assert recipe({"protect": "light", "adapt": "full"}).adapt == FullSettings()


def test_what_is_written_reads_back_as_it_was(tmp_path: Path) -> None:
    changes = {"protect": {"level": "strong", "replay": {"file": "old.jsonl"}, "kl": "off"}}
    before, base = read_recipe(None, model="tiny", data="rows.jsonl", changes=changes)
    write_recipe(before, base, tmp_path / "recipe.yaml")
    after, _ = read_recipe(tmp_path / "recipe.yaml")
    assert after.adapt == before.adapt
    assert after.protect.rungs.names == ("replay",)
    assert after.protect.replay_file == str(Path("old.jsonl").absolute())


def test_the_recipes_of_the_guide_are_valid() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "keep-what-it-knew.md").read_text("utf-8")
    first, second = (parse_yaml(block, "guide").values for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL))
    assert recipe({"protect": first["protect"]}).protect.rungs.names == ("self_replay",)
    assert recipe({"protect": second["protect"]}).protect.rungs.names == ("kl",)
