import subprocess
import sys
import typing

import pytest

from burnish.core.records import Chat, Message
from burnish.graders.registry import make_grader
from burnish.graders.settings import (
    BLEUMetric,
    EntitiesMetric,
    ExactMetric,
    JSONMetric,
    LabelMetric,
    LossMetric,
    MetricName,
    NumberMetric,
    RegexMetric,
    ROUGEMetric,
    TextMetric,
    score_that_decides,
)

RIGHT = [
    (LabelMetric(), "a"),
    (ExactMetric(), "a b"),
    (NumberMetric(), "3"),
    (JSONMetric(), '{"a": 1}'),
    (EntitiesMetric(), '{"a": ["b"]}'),
    (TextMetric(), "one two three"),
    (BLEUMetric(), "one two three four five"),
    (ROUGEMetric(), "one two"),
    (RegexMetric(pattern=r"(\d+)"), "order 7"),
]


@pytest.mark.parametrize(("metric", "answer"), RIGHT, ids=lambda value: getattr(value, "type", ""))
def test_the_expected_answer_scores_one_and_nothing_scores_zero(metric, answer):
    grade, row = make_grader(metric), Chat("r", (Message("user", "?"), Message("assistant", answer)))
    assert grade(answer, row)[score_that_decides(metric)] == pytest.approx(1.0)
    assert grade("", row)[score_that_decides(metric)] == 0.0


def test_those_that_are_tried_elsewhere_are_few():
    assert set(typing.get_args(MetricName)) - {metric.type for metric, _ in RIGHT} == {
        "code",
        "function",
        "loss",
        "judge",
    }


def test_loss_grades_no_answer():
    assert make_grader(LossMetric())("x", Chat("r", (Message("user", "?"), Message("assistant", "x")))) == {}


def test_json_answers_are_held_to_the_keys_of_train():
    grade = make_grader(JSONMetric(), keys=("a", "b"))
    row = Chat("r", (Message("user", "?"), Message("assistant", '{"a": 1, "b": 2}')))
    assert grade('{"a": 1}', row)["schema"] == 0.0
    assert grade('{"a": 5, "b": 6, "c": 7}', row)["schema"] == 1.0


def test_graders_do_without_torch():
    code = "import sys; sys.modules['torch'] = None; import burnish.graders.registry"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
