import pytest

from burnish.graders.rouge import grade_rouge

PAIRS = [
    ("the cat sat on the mat", "a cat sat down on a mat"),
    ("Police killed the gunman.", "police kill the gunman"),
    ("the gunman killed police", "police killed the gunman"),
    ("It's 3.5 km; not 4!", "it is 3.5 km - not 5"),
    ("", "something"),
    ("nothing shared", "something else"),
]


def test_rouge_by_hand():
    # Words: 4 and 4. In sequence: police … the gunman, 3 of 4. Pairs: "the gunman", 1 of 3.
    scores = grade_rouge("Police killed the gunman", "police kill the gunman")
    assert scores == {"rouge_l": 0.75, "rouge_1": 0.75, "rouge_2": pytest.approx(1 / 3)}


@pytest.mark.parametrize(("output", "expected"), PAIRS)
def test_rouge_is_that_of_the_rouge_score_package(output, expected):
    package = pytest.importorskip("rouge_score.rouge_scorer", reason="rouge-score is not installed")
    wanted = package.RougeScorer(["rouge1", "rouge2", "rougeL"]).score(expected, output)
    scores = grade_rouge(output, expected)
    assert scores["rouge_1"] == pytest.approx(wanted["rouge1"].fmeasure)
    assert scores["rouge_2"] == pytest.approx(wanted["rouge2"].fmeasure)
    assert scores["rouge_l"] == pytest.approx(wanted["rougeL"].fmeasure)


def test_letters_of_every_script_count():
    assert grade_rouge("Die Tür öffnet", "die Tür öffnet")["rouge_l"] == 1.0
    assert grade_rouge("Die Tor offnet", "die Tür öffnet")["rouge_l"] == pytest.approx(1 / 3)
    assert grade_rouge("привет мир", "привет всем")["rouge_l"] == 0.5


def test_an_expected_answer_without_words_is_compared_as_it_is():
    assert grade_rouge("🙂", "🙂")["rouge_l"] == 1.0
    assert grade_rouge("smile", "🙂")["rouge_l"] == 0.0
