from __future__ import annotations

import math

import pytest

from burnish.core.errors import DataError
from burnish.render.renderer import Rendered
from burnish.train.guard import NotFinite, check_dev, check_rows, not_finite, refuse_step


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_with_step_and_rows(bad: float) -> None:
    found = not_finite({"answer": bad}, 1.0)
    assert found is not None
    error = refuse_step(7, found, ["a.jsonl:3", "a.jsonl:9"])
    assert "The loss is not finite at step 8" in str(error)
    assert error.where == "rows a.jsonl:3, a.jsonl:9"
    assert not_finite({"answer": 1.0}, bad) == ("gradient", bad)
    assert not_finite({"answer": 1.0, "kl": bad}, 1.0) == ("loss (kl)", bad)
    with pytest.raises(NotFinite, match="dev"):
        check_dev(3, bad)


def test_finite_values_pass() -> None:
    assert not_finite({"answer": 0.0, "kl": -1e30}, 1e30) is None
    check_dev(3, 1e30)


def test_rows_with_nothing_to_learn_are_refused_by_name() -> None:
    learnt, empty = Rendered([1, 2], [0.0, 1.0], [0, 0]), Rendered([1, 2], [0.0, 0.0], [0, 0])
    check_rows([learnt], ["a:1"])
    with pytest.raises(DataError, match="2 of 3 rows") as caught:
        check_rows([learnt, empty, empty], ["a:1", "a:2", "a:3"])
    assert caught.value.where == "a:2, a:3"
