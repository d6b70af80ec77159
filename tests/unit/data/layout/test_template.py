from typing import Any

import pytest

from burnish.data.layout.reasons import REASONS, Unusable
from burnish.data.layout.template import fill, template_keys

ROW: dict[str, Any] = {
    "q": "{a}",
    "q.__class__": "plain",
    "answers": {"text": ["one", "two"], "n": 3},
    "tokens": ["Anna", "Berg", "lives", "in", "Bad", "Ems", "."],
    "tags": ["B-person", "I-person", "O", "O", "B-place", "B-place", "O"],
    "choices": ["red", "green"],
    "gold": 1,
}


def test_names_are_replaced_and_no_attribute_is_reached() -> None:
    assert fill("{{{q}}} {q.__class__}", ROW) == "{{a}} plain"
    with pytest.raises(Unusable, match="missing_field"):
        fill("{gold.__class__}", ROW)


def test_paths_lead_into_objects_and_lists() -> None:
    assert fill("{answers.text.1} of {answers.n}: {choices}", ROW) == 'two of 3: ["red", "green"]'
    for absent in ("answers.text.2", "answers.text.x", "answers.none", "choices.-1", "gold.0", "nothing"):
        with pytest.raises(Unusable) as caught:
            fill(f"{{{absent}}}", ROW)
        assert caught.value.detail == f"{absent!r} is absent or null"


def test_functions_write_lists_out() -> None:
    assert fill("{words(tokens)}", ROW) == "Anna Berg lives in Bad Ems ."
    # B- begins an entity even beside one of the same type
    expected = (
        '[{"text": "Anna Berg", "type": "person"}, {"text": "Bad", "type": "place"}, {"text": "Ems", "type": "place"}]'
    )
    assert fill("{entities(tokens, tags)}", ROW) == expected
    assert fill("{choice(choices, gold)}", ROW) == "green"


def test_tags_may_be_numbers_with_names_or_types_without_marks() -> None:
    row = {"tokens": ["a", "b", "c", "d"], "tags": [2, 2, 0, 1], "plain": ["x", "x", "O", "y"], "none": [0, 0, 0, 0]}
    assert fill("{entities(tokens, tags)}", row, ("O", "B-x", "I-x")) == (
        '[{"text": "a b", "type": "x"}, {"text": "d", "type": "x"}]'
    )
    assert fill("{entities(tokens, plain)}", row) == '[{"text": "a b", "type": "x"}, {"text": "d", "type": "y"}]'
    assert fill("{entities(tokens, none)}", row, ("O", "B-x")) == "[]"
    with pytest.raises(Unusable, match="unknown_label"):
        fill("{entities(tokens, tags)}", row)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{words(q)}", "missing_field"),
        ("{entities(tokens, choices)}", "missing_field"),
        ("{choice(choices, answers.n)}", "unknown_choice"),
        ("{words(nothing)}", "missing_field"),
    ],
)
def test_a_column_that_does_not_suit_has_a_reason(template: str, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        fill(template, ROW)
    assert caught.value.reason == reason
    assert reason in REASONS


def test_a_template_names_its_columns() -> None:
    assert template_keys("{{x}} {question}\n{a b}: {words(tokens)} {choice(c.d, gold)} {other(x)}") == (
        "question",
        "a b",
        "tokens",
        "c.d",
        "gold",
        "other(x)",
    )
