import pytest

from burnish.graders.json_answer import first_object, grade_json, word_f1

EXPECTED = '{"intent": "refund", "product": "Heron Kettle", "order": null, "count": 2}'


def test_the_same_object_in_other_spelling_is_exact():
    output = (
        'Here it is:\n```json\n{"count": 2.0, "order": null, "intent": "Refund", "product": " heron  kettle."}\n```'
    )
    assert grade_json(output, EXPECTED) == {"valid": 1.0, "exact": 1.0, "field_f1": 1.0}


def test_f1_counts_pairs_of_both_sides():
    # Output: intent right, count wrong. Pairs found 1, in the output 2, expected 4: F1 = 2·1 / (2 + 4).
    scores = grade_json('{"intent": "refund", "count": 3}', EXPECTED)
    assert scores == {"valid": 1.0, "exact": 0.0, "field_f1": pytest.approx(1 / 3)}


def test_an_invented_key_costs_precision():
    # Found 4, in the output 5, expected 4: F1 = 8 / 9.
    output = EXPECTED[:-1] + ', "extra": 1}'
    assert grade_json(output, EXPECTED)["field_f1"] == pytest.approx(8 / 9)


def test_free_text_of_more_than_three_words_gets_partial_credit():
    # Words shared: customer, asks, kettle = 3; 3 in the output, 5 expected: 6 / 8.
    assert word_f1("Customer asks: kettle", "customer asks where kettle is") == pytest.approx(0.75)
    output, expected = '{"summary": "Customer asks: kettle"}', '{"summary": "customer asks where kettle is"}'
    assert grade_json(output, expected)["field_f1"] == pytest.approx(0.75)
    assert grade_json(output, expected)["exact"] == 0.0


def test_short_strings_get_no_partial_credit():
    assert grade_json('{"product": "Heron Mug"}', '{"product": "Heron Kettle"}')["field_f1"] == 0.0


def test_types_are_not_mixed_up():
    for output, expected in (('{"a": "2"}', '{"a": 2}'), ('{"a": 1}', '{"a": true}'), ('{"a": null}', '{"a": ""}')):
        assert grade_json(output, expected)["field_f1"] == 0.0, output


def test_nested_objects_and_lists_count_as_pairs():
    # Expected a.b=1, c[]=x, c[]=y; the output lacks y: 2·2 / (2 + 3).
    assert grade_json('{"a": {"b": 1}, "c": ["x"]}', '{"c": ["y", "x"], "a": {"b": 1}}')["field_f1"] == pytest.approx(
        0.8
    )
    assert grade_json('{"c": ["x", "y"]}', '{"c": ["y", "x"]}')["exact"] == 1.0


def test_a_repeated_value_is_credited_once():
    # One x expected, two given: 2·1 / (2 + 1).
    assert grade_json('{"c": ["x", "x"]}', '{"c": ["x"]}')["field_f1"] == pytest.approx(2 / 3)


def test_a_part_of_a_broken_object_is_not_the_answer():
    assert first_object('{"intent": "x", "address": {"city": "y"}, "su') is None
    assert first_object('The set {a, b} gives {"x": 1} and {"x": 2}') == {"x": 1}


@pytest.mark.parametrize(
    "output", ["", "no", "[1]", "{" * 100_000, '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", '{"a": 1']
)
def test_no_object_scores_nothing(output):
    assert grade_json(output, EXPECTED) == {"valid": 0.0, "exact": 0.0, "field_f1": 0.0}


def test_hostile_nesting_is_refused_without_a_crash():
    assert grade_json('{"a":' * 50_000, EXPECTED)["valid"] == 0.0


def test_empty_objects_are_equal():
    assert grade_json("{}", "{}") == {"valid": 1.0, "exact": 1.0, "field_f1": 1.0}


def test_an_expected_answer_that_is_no_object_is_compared_as_text():
    assert grade_json("None", "none.") == {"valid": 1.0, "exact": 1.0, "field_f1": 1.0}
    assert grade_json('{"a": 1}', "none") == {"valid": 0.0, "exact": 0.0, "field_f1": 0.0}


def test_objects_in_a_list_are_compared_with_the_one_most_like_them():
    expected = '{"p": [{"n": "a", "q": 1}, {"n": "b", "q": 2}]}'
    swapped, crossed = (
        '{"p": [{"n": "b", "q": 2}, {"n": "a", "q": 1}]}',
        '{"p": [{"n": "a", "q": 2}, {"n": "b", "q": 1}]}',
    )
    assert grade_json(swapped, expected)["exact"] == 1.0
    # Of four pairs on both sides two are found: 2·2 / (4 + 4).
    assert grade_json(crossed, expected) == {"valid": 1.0, "exact": 0.0, "field_f1": 0.5}


def test_a_dotted_key_is_no_nested_one():
    assert grade_json('{"a.b": 1}', '{"a": {"b": 1}}')["exact"] == 0.0


def test_deep_nesting_ends_in_a_score():
    deep = '{"a":' * 600 + "1" + "}" * 600
    assert grade_json(deep, '{"a": 1}')["field_f1"] == 0.0
