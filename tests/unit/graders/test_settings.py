from __future__ import annotations

import typing
from pathlib import Path

import pytest
from pydantic import ValidationError

from burnish.evals.settings import EvaluateSettings
from burnish.graders.settings import (
    PRIMARY,
    CodeMetric,
    FunctionMetric,
    JSONMetric,
    LossMetric,
    MetricName,
    file_of,
    higher_is_better,
    with_file_from,
)


def metric(value: object) -> object:
    return EvaluateSettings.model_validate({"metric": value}).metric


def test_a_word_stands_for_the_type() -> None:
    assert metric("loss") == metric({"type": "loss"}) == LossMetric()


def test_a_file_and_a_name_stand_for_a_function() -> None:
    assert metric("a/grade.py:f1") == FunctionMetric(file="a/grade.py", name="f1")


def test_settings_survive_their_own_json() -> None:
    for value in ("auto", {"type": "regex", "pattern": "(a)"}, {"type": "number", "tolerance": 0.1}, "g.py:f"):
        settings = EvaluateSettings.model_validate({"metric": value})
        assert EvaluateSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"type": "regex", "pattern": "a("}, "no regular expression"),
        ({"type": "number", "tolerance": -1}, "greater than or equal to 0"),
        ({"type": "function", "file": "grade.txt"}, "should match pattern"),
        ({"type": "function", "file": "grade.py", "name": "a.b"}, "should match pattern"),
        ({"type": "label", "pattern": "a"}, "Extra inputs"),
        ("poem", "does not match any of the expected tags"),
    ],
)
def test_what_makes_no_sense_is_refused(value: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        metric(value)


def test_code_is_run_by_leave_alone() -> None:
    with pytest.raises(ValidationError, match="execute: true"):
        metric({"type": "code", "tests_file": "tests.jsonl"})
    assert isinstance(metric({"type": "code", "tests_file": "tests.jsonl", "execute": True}), CodeMetric)


def test_files_start_from_the_folder_of_the_recipe() -> None:
    assert with_file_from(JSONMetric(schema_file="s.json"), Path("/x")) == JSONMetric(schema_file="/x/s.json")
    assert with_file_from(JSONMetric(), Path("/x")) == JSONMetric()
    assert file_of(FunctionMetric(file="/y/g.py")) == ("file", "/y/g.py")


def test_less_loss_is_better_and_a_function_says_so_itself() -> None:
    assert not higher_is_better(LossMetric())
    assert not higher_is_better(FunctionMetric(file="g.py", higher_is_better=False))
    assert higher_is_better(JSONMetric())


def test_every_metric_has_a_score_that_decides() -> None:
    assert set(PRIMARY) == set(typing.get_args(MetricName))
