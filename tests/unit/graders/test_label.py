from burnish.graders.label import grade_label, predicted_label


def test_case_quotes_spaces_and_final_punctuation_do_not_matter():
    for output in ("Billing", " billing\n", '"billing".', "**Billing**", "billing!", "\n\nbilling\nbecause I say so"):
        assert grade_label(output, "billing") == {"correct": 1.0}, output


def test_another_label_or_a_longer_answer_is_wrong():
    for output in ("delivery", "billing issue", "The label is billing", "", "\n", "bill ing"):
        assert grade_label(output, "billing") == {"correct": 0.0}, output


def test_a_label_may_be_a_sign():
    assert grade_label("?", "?") == {"correct": 1.0}
    assert grade_label("!", "?") == {"correct": 0.0}


def test_a_predicted_label_is_compared_in_one_form():
    assert predicted_label("Card  Arrival.") == predicted_label("card arrival")


def test_unicode_forms_of_one_letter_are_one_letter():
    assert grade_label("cafe\u0301", "caf\u00e9") == {"correct": 1.0}
