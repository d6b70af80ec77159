import time

import pytest

from burnish.core.errors import RecipeError
from burnish.graders.pattern import compile_pattern, grade_pattern

TICKET = compile_pattern(r"ticket:? #?(\d+)")


def test_without_a_group_the_pattern_must_be_found():
    code = compile_pattern(r"^[A-Z]{2}-\d+$")
    assert grade_pattern("AB-12", "anything", code) == {"correct": 1.0}
    assert grade_pattern("see AB-12", "AB-12", code) == {"correct": 0.0}


def test_with_a_group_what_it_catches_is_compared():
    for output, expected, right in (
        ("Your ticket #12.", "ticket: 12", 1.0),
        ("Your ticket #12.", "12", 1.0),
        ("Your ticket #12.", "ticket: 13", 0.0),
        ("12", "ticket: 12", 0.0),
    ):
        assert grade_pattern(output, expected, TICKET) == {"correct": right}, output


def test_a_group_that_takes_no_part_catches_nothing():
    assert grade_pattern("b", "b", compile_pattern("(a)?b")) == {"correct": 1.0}


def test_an_answer_that_explodes_is_wrong_in_time():
    trap, started = compile_pattern(r"^(a|a)*$"), time.monotonic()
    assert grade_pattern("a" * 40 + "b", "a", trap, seconds=0.2) == {"correct": 0.0}
    assert time.monotonic() - started < 2


def test_an_expected_answer_that_explodes_is_an_error():
    with pytest.raises(RecipeError, match="too long"):
        grade_pattern("a", "a" * 40 + "b", compile_pattern(r"^(a|a)*$"), seconds=0.2)


def test_what_is_no_pattern_is_an_error():
    with pytest.raises(RecipeError):
        compile_pattern("a(")
