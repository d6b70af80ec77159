import pytest
from sacrebleu.metrics import CHRF

from burnish.graders.text import grade_text


def test_the_same_text_scores_one():
    assert grade_text("a  cat sat", "a cat sat\n") == {"chrf": pytest.approx(1.0), "exact": 1.0}


def test_an_empty_answer_scores_zero():
    assert grade_text("", "a cat sat") == {"chrf": 0.0, "exact": 0.0}


def test_chrf_is_that_of_sacrebleu_over_a_hundred():
    output, expected = "the cat sat on a mat", "a cat sat on the mat"
    assert grade_text(output, expected)["chrf"] == pytest.approx(CHRF().sentence_score(output, [expected]).score / 100)
