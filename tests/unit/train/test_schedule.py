from __future__ import annotations

import pytest

from burnish.train.schedule import rate_at


def rates(schedule: str, steps: int = 12, warmup: int = 3) -> list[float]:
    return [rate_at(step, peak=1.0, steps=steps, warmup_steps=warmup, schedule=schedule) for step in range(steps)]


def test_the_rate_rises_in_equal_parts() -> None:
    # three updates of warm-up: 1/4, 2/4, 3/4, then the peak
    for schedule in ("cosine", "linear", "constant"):
        assert rates(schedule)[:4] == [0.25, 0.5, 0.75, 1.0]


def test_the_rate_falls_towards_a_tenth() -> None:
    # 9 updates fall; after k of them, linear: 1 - 0.9 k/9; cosine: 0.1 + 0.45 (1 + cos(π k/9))
    assert rates("linear")[3:] == pytest.approx([1 - 0.1 * k for k in range(9)])
    # k = 3: cos(π/3) = 1/2 → 0.1 + 0.45 · 1.5 = 0.775; k = 6: cos(2π/3) = -1/2 → 0.1 + 0.45 · 0.5 = 0.325
    assert rates("cosine")[6] == pytest.approx(0.775)
    assert rates("cosine")[9] == pytest.approx(0.325)
    assert rates("constant")[3:] == [1.0] * 9


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (1, 1), (2, 2), (100, 0), (5, 4)])
def test_no_rate_is_zero_or_above_the_peak(schedule: str, steps: int, warmup: int) -> None:
    assert all(0.1 <= rate <= 1.0 for rate in rates(schedule, steps, warmup))
    falling = rates(schedule, steps, warmup)[warmup:]
    assert falling == sorted(falling, reverse=True)
