import pytest

from burnish.core.errors import RecipeError
from burnish.graders.ready import check_metric
from burnish.graders.settings import AutoMetric, CodeMetric, FunctionMetric, JSONMetric, LossMetric, RegexMetric


def test_what_can_be_used_passes(tmp_path):
    file = tmp_path / "grade.py"
    file.write_text("raise SystemExit\nfrom x import near\ndef score(output, expected): ...\nother = score\n")
    for name in ("score", "other", "near"):
        check_metric(FunctionMetric(file=str(file), name=name))  # read, not run
    for metric in (AutoMetric(), LossMetric(), JSONMetric(), RegexMetric(pattern="a")):
        check_metric(metric)


def test_an_absent_file_is_told_before_training(tmp_path):
    missing = str(tmp_path / "no.py")
    for metric in (
        FunctionMetric(file=missing),
        JSONMetric(schema_file=missing),
        CodeMetric(tests_file=missing, execute=True),
    ):
        with pytest.raises(RecipeError, match="no such file"):
            check_metric(metric)


def test_a_wrong_file_is_told_before_training(tmp_path):
    file = tmp_path / "grade.py"
    file.write_text("def grade(: 3")
    with pytest.raises(RecipeError, match="not Python") as caught:
        check_metric(FunctionMetric(file=str(file)))
    assert caught.value.where.endswith("grade.py:1")
    file.write_text("def grade(output, expected): ...")
    with pytest.raises(RecipeError, match="no function `score`"):
        check_metric(FunctionMetric(file=str(file)))
    with pytest.raises(RecipeError, match="no JSON Schema"):
        check_metric(JSONMetric(schema_file=str(file)))
    with pytest.raises(RecipeError, match="holds no tests"):
        check_metric(CodeMetric(tests_file=str(file), execute=True))
