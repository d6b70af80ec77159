from fractions import Fraction

import pytest

from burnish.graders.number import final_number, grade_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It takes 3 + 4 = 7 days.\n#### 42", 42),
        ("#### 1,234 apples", 1234),
        ("#### Step 1\nAdd 3 and 4.\n#### 7", 7),
        ("The answer is not 12 but 13", 13),
        ("The answer is 12, not 13.", 12),
        ("The answer is 3 + 4 = 7.", 7),
        ("First I thought the answer is 12. Now I see: the answer is 13. There are 20 rows.", 13),
        ("Answer: **1,000.50**", Fraction(2001, 2)),
        ("The final answer is:\n42", 42),
        ("so $\\boxed{\\frac{3}{4}}$ of 8", Fraction(3, 4)),
        ("He pays 3 dollars and then 4 more", 4),
        ("He has 7 left, not 9.", 7),
        ("It costs $1,250.50.", Fraction(2501, 2)),
        ("minus: -5", -5),
        ("minus in typography: −5", -5),
        ("a debt of -$5", -5),
        ("from 5-3", 3),
        ("2 1/2 cups", Fraction(5, 2)),
        ("50%", 50),
        ("1.5e3 steps", 1500),
        ("It is 12.", 12),
        ("The answer is minus 4.", -4),
        ("The answer is twenty-one.", 21),
        ("The answer is 13 because 6 + 6 = 12, plus 1.", 13),
        ("The answer is 12. Wait, it is 13.", 13),
        ("13 of the 20 children", 13),
        ("13 is right, 12 is wrong", 13),
        ("13 (see step 2)", 13),
        ("13\nBecause there were 2 of them.", 13),
        ("1 300 000", 1_300_000),
    ],
)
def test_the_final_number_of(text, number):
    assert final_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "none", "answer: 1/0", "####", "The answer is unknown.", "12 or 13", "between 12 and 13", "No one"]
)
def test_no_number_in(text):
    assert final_number(text) is None


def test_equal_values_are_correct_in_any_notation():
    assert grade_number("It is 0.5", "1/2") == {"correct": 1.0}
    assert grade_number("72.00", "He sold 48+24 = 72.\n#### 72") == {"correct": 1.0}
    assert grade_number("0.33", "1/3") == {"correct": 0.0}
    assert grade_number("I do not know", "#### 72") == {"correct": 0.0}


def test_a_tolerance_is_a_share_of_the_expected_number():
    # 5 % of 200 is 10.
    for output, right in (("190", 1.0), ("210.0", 1.0), ("189.9", 0.0), ("none", 0.0)):
        assert grade_number(output, "200", tolerance=0.05) == {"correct": right}, output
    assert grade_number("-190", "-200", tolerance=0.05) == {"correct": 1.0}


def test_an_expected_answer_without_a_number_is_compared_as_text():
    assert grade_number("None.", "none") == {"correct": 1.0}
    assert grade_number("12", "none") == {"correct": 0.0}


def test_very_long_input_ends_soon():
    for text in ("9" * 100_000, "1,111" * 20_000, "####" * 20_000, "answer is " * 10_000, "1/" * 50_000, "- " * 50_000):
        final_number(text)
