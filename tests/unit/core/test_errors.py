from __future__ import annotations

import pytest

from burnish.core import errors
from burnish.core.errors import BurnishError


def test_an_error_says_what_where_seen_and_the_next_move() -> None:
    error = BurnishError("It is wrong.", where="a.yaml:3", seen="7", next_move="write 8")
    assert str(error) == "It is wrong.\n  where: a.yaml:3\n  seen:  7\n  next:  write 8"
    assert str(BurnishError("It is wrong.", seen="7")) == "It is wrong.\n  seen:  7"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("BurnishError", 1), ("ParityError", 1), ("MissingTool", 1), ("RecipeError", 2), ("ModelError", 2),
     ("DataError", 3), ("GateError", 4), ("Stopped", 75)],
)  # fmt: skip
def test_each_kind_has_its_exit_code(kind: str, code: int) -> None:
    error = vars(errors)[kind]("what")
    assert isinstance(error, BurnishError)
    assert error.exit_code == code


def test_old_handlers_of_value_errors_still_catch_wrong_input() -> None:
    for kind in (errors.RecipeError, errors.ModelError, errors.DataError):
        assert issubclass(kind, ValueError)
