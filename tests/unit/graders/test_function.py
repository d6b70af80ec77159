import pytest

from burnish.core.errors import RecipeError
from burnish.core.records import Chat, Message
from burnish.graders.function import grade_with, load_function

ROW = Chat("r7", (Message("user", "how many?"), Message("assistant", "three")), source="rows.jsonl:7")


def grade(tmp_path, text, output="three", name="score"):
    file = tmp_path / "grade.py"
    file.write_text(text)
    return grade_with(load_function(file, name), output, ROW)


def test_a_number_is_the_score(tmp_path):
    text = "def score(output, expected):\n    return output == expected\n"
    assert grade(tmp_path, text) == {"score": 1.0}
    assert grade(tmp_path, text, "four") == {"score": 0.0}


def test_a_mapping_may_hold_more_scores(tmp_path):
    text = "def f(output, expected):\n    return {'score': 0.5, 'length': len(output)}\n"
    assert grade(tmp_path, text, name="f") == {"score": 0.5, "length": 5.0}


def test_the_prompt_is_given_to_who_asks_for_it(tmp_path):
    text = "def score(output, expected, prompt):\n    return len(prompt)\n"
    assert grade(tmp_path, text) == {"score": 9.0}


def test_a_failure_names_line_and_row(tmp_path):
    with pytest.raises(RecipeError) as caught:
        grade(tmp_path, "def score(output, expected):\n    return 1 / (len(output) - 4)\n", "four")
    assert caught.value.where == f"{tmp_path / 'grade.py'}:2, row r7 (rows.jsonl:7)"
    assert "ZeroDivisionError" in caught.value.seen


@pytest.mark.parametrize("value", ["None", "'1'", "float('nan')", "{'f1': 1}", "{'score': 'a'}", "[1]"])
def test_what_is_no_score_is_refused(tmp_path, value):
    with pytest.raises(RecipeError, match="finite number"):
        grade(tmp_path, f"def score(output, expected):\n    return {value}\n")


def test_a_file_that_fails_or_lacks_the_function_is_an_error(tmp_path):
    with pytest.raises(RecipeError, match="cannot be run") as caught:
        grade(tmp_path, "x = 1\nraise KeyError('a')\n")
    assert caught.value.where.endswith("grade.py:2")
    with pytest.raises(RecipeError, match="no function `score`"):
        grade(tmp_path, "def other(output, expected):\n    return 1\n")
