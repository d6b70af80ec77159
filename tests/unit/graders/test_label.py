from burnish.graders.label import grade_label, predicted_label


def test_case_quotes_spaces_and_final_punctuation_do_not_matter():
    for output in ("Billing", " billing\n", '"billing".', "**Billing**", "billing!", "\n\nbilling\nbecause I say so"):
        assert grade_label(output, "billing") == {"correct": 1.0}, output


def test_another_label_or_a_longer_answer_is_wrong():
    for output in ("delivery", "billing issue", "The label is not billing", "", "\n", "bill ing"):
        assert grade_label(output, "billing") == {"correct": 0.0}, output


def test_a_label_may_be_a_sign():
    assert grade_label("?", "?") == {"correct": 1.0}
    assert grade_label("!", "?") == {"correct": 0.0}


def test_a_predicted_label_is_compared_in_one_form():
    assert predicted_label("Card  Arrival.") == predicted_label("card arrival")


def test_unicode_forms_of_one_letter_are_one_letter():
    assert grade_label("cafe\u0301", "caf\u00e9") == {"correct": 1.0}


LABELS = ("billing", "delivery", "not urgent", "urgent", "no")


def test_an_introduction_is_no_part_of_the_label():
    for output in (
        "The label is billing",
        "Category: **Billing**",
        "I think the answer is billing.",
        "Label:\nbilling",
    ):
        assert grade_label(output, "billing") == {"correct": 1.0}, output
    assert predicted_label("The label is not delivery but billing") == "billing"
    assert predicted_label("The label is billing, not delivery") == "billing"


def test_of_known_labels_the_only_one_that_is_named_counts():
    for output in ("This is a billing question.", "Billing: an invoice is asked about", "billing, because it costs"):
        assert predicted_label(output, LABELS) == "billing", output
    assert predicted_label("It is not urgent", LABELS) == "not urgent"
    assert predicted_label("No, not at all", LABELS) == "no"


def test_talk_in_which_a_label_is_an_ordinary_word_names_none():
    labels = ("age_limit", "age limit", "exchange_via_app")
    for output in (
        "The age limit is 18 years old.",
        "change_exchange_via_app",
        "To open an account you have to look up what is in your country the age limit",
    ):
        assert predicted_label(output, labels) not in labels, output
    assert predicted_label("Exchange via app", labels) == "exchange_via_app"


def test_several_labels_a_denied_one_or_a_refusal_name_none():
    for output in (
        "billing or delivery",
        "billing\ndelivery",
        "This is not billing",
        "Sorry, I can't help with billing",
        "There is no doubt",
        "rebilling",
    ):
        assert predicted_label(output, LABELS) not in LABELS, output


def test_very_long_answers_end_soon():
    for text in ("billing " * 20_000, "label " * 20_000, "a, not " * 20_000, "(" * 100_000):
        predicted_label(text, LABELS)
