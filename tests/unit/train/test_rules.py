from __future__ import annotations

from typing import Any

import pytest

from burnish.adapt.settings import FreezeSettings, FullSettings, LoRASettings
from burnish.train.rules import learning_rate, make_plan, rows_per_update
from burnish.train.settings import TrainSettings


def plan(settings: TrainSettings, rows: int = 200, longest: int = 100) -> dict[str, float]:
    return vars(make_plan(settings, LoRASettings(), rows=rows, longest=longest, width=576))


def test_the_rate_follows_width_and_method() -> None:
    # 5e-4 · (2000/2000)^0.5 = 5e-4; (2000/500)^0.5 = 2 → 1e-3; a tenth when the weights themselves train
    assert learning_rate(2000, LoRASettings()) == pytest.approx(5e-4)
    assert learning_rate(500, LoRASettings()) == pytest.approx(1e-3)
    assert learning_rate(500, LoRASettings(r=64)) == pytest.approx(1e-3)
    assert learning_rate(500, LoRASettings(plus_ratio=16)) == pytest.approx(2.5e-4)  # A's; B's is 16 times that
    assert learning_rate(500, FullSettings()) == pytest.approx(1e-4)
    assert learning_rate(500, FreezeSettings()) == pytest.approx(1e-4)
    # and a tenth of either for preferences
    assert learning_rate(500, LoRASettings(), "dpo") == pytest.approx(1e-4)
    assert learning_rate(500, FullSettings(), "dpo") == pytest.approx(1e-5)


@pytest.mark.parametrize(("rows", "expected"), [(10, 4), (160, 4), (200, 5), (240, 6), (320, 8), (100_000, 8)])
def test_small_data_gets_small_updates(rows: int, expected: int) -> None:
    assert rows_per_update(rows) == expected


def test_a_plan_leaves_nothing_to_guess() -> None:
    # 200 rows, 5 an update, 3 epochs: 3 · 200 / 5 = 120 updates; 5 % warm-up: 6; three measurements an epoch: 40/3 ≈ 13
    made = plan(TrainSettings())
    assert made["rows_per_update"] == 5
    assert made["steps"] == 120
    assert made["warmup_steps"] == 6
    assert made["evaluate_every"] == made["save_every"] == 13


def test_what_the_recipe_says_counts() -> None:
    settings = TrainSettings(
        steps=7, rows_per_update=8, tokens_per_pass=99, learning_rate=1e-4, warmup=0, evaluate_every=3, save_every=2
    )
    assert list(plan(settings).values()) == [200, 7, 8, 99, 1e-4, 0, 3, 2, False]


def test_an_update_has_no_row_twice_and_a_pass_holds_the_longest_row() -> None:
    assert plan(TrainSettings(rows_per_update=64), rows=10)["rows_per_update"] == 10
    assert plan(TrainSettings(), longest=9000)["tokens_per_pass"] == 9000
    assert plan(TrainSettings(epochs=0.01), rows=10)["steps"] == 1


@pytest.mark.parametrize(
    "values",
    [{"rows_per_update": 0}, {"tokens_per_pass": 0}, {"learning_rate": 0.0}, {"learning_rate": -1e-3},
     {"evaluate_every": 0}, {"save_every": -1}, {"steps": 0}, {"epochs": 0}, {"seed": -1}, {"seed": 2**64}],
)  # fmt: skip
def test_a_value_out_of_range_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TrainSettings.model_validate(values)


def test_the_multiplier_scales_a_rate_by_rule_and_a_rate_by_hand() -> None:
    def rate(**said: Any) -> float:
        return make_plan(TrainSettings(**said), LoRASettings(), rows=100, longest=10, width=2000).learning_rate

    assert rate(learning_rate_multiplier=2) == 2 * rate()
    assert rate(learning_rate=1e-3, learning_rate_multiplier=0.5) == 5e-4
