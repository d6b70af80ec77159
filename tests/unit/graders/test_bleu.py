import pytest
from sacrebleu import sentence_bleu

from burnish.graders.bleu import grade_bleu

PAIRS = [("the cat sat on a mat", "a cat sat on the mat"), ("a cat", "a cat sat on the mat"), ("dog", "a cat")]


@pytest.mark.parametrize(("output", "expected"), PAIRS)
def test_bleu_is_that_of_sacrebleu_over_a_hundred(output, expected):
    assert grade_bleu(output, expected)["bleu"] == pytest.approx(sentence_bleu(output, [expected]).score / 100)


def test_a_short_right_answer_is_wholly_right():
    assert grade_bleu("Good morning", "Good  morning") == {"bleu": pytest.approx(1.0), "exact": 1.0}


def test_chinese_words_have_a_way_of_their_own():
    output, expected = "我爱北京天安门", "我爱北京长城"
    assert grade_bleu(output, expected, "zh")["bleu"] > grade_bleu(output, expected)["bleu"]
