import pytest

from burnish.graders.entities import are_spans, count_entities, entities_in, grade_entities

EXPECTED = '{"person": ["Ada Lovelace", "Babbage"], "place": ["London"]}'


def test_both_forms_mean_the_same():
    listed = (
        '[{"text": "london", "type": "PLACE"}, {"text": "Babbage", "type": "person"}, '
        '{"text": "Ada  Lovelace", "type": "person"}]'
    )
    assert entities_in(listed) == entities_in(EXPECTED)
    assert grade_entities(listed, EXPECTED) == {"entity_f1": 1.0, "exact": 1.0, "valid": 1.0}


def test_f1_counts_entities_of_both_sides():
    # Found Babbage and London, given 4, expected 3: 2·2 / (4 + 3). "Ada" is another span than "Ada Lovelace".
    output = '{"person": ["Ada", "Babbage"], "place": ["London", "Bonn"]}'
    assert grade_entities(output, EXPECTED)["entity_f1"] == pytest.approx(4 / 7)


def test_the_right_mention_under_the_wrong_type_is_wrong():
    assert grade_entities('{"place": ["Babbage"]}', '{"person": ["Babbage"]}')["entity_f1"] == 0.0


def test_a_mention_that_stands_twice_is_wanted_twice():
    # Found 1, given 1, expected 2: 2 / 3.
    assert grade_entities('{"a": ["x"]}', '{"a": ["x", "x"]}')["entity_f1"] == pytest.approx(2 / 3)


def test_nothing_to_find_and_nothing_given_is_right():
    for output in ("{}", "[]", '{"person": []}', '{"person": null}', "None: {}"):
        assert grade_entities(output, "{}")["entity_f1"] == 1.0, output
    assert grade_entities('{"person": ["x"]}', "[]")["entity_f1"] == 0.0


@pytest.mark.parametrize("output", ["", "Ada Lovelace", '{"person": ["Ada', '["Ada"]', '{"person": [1]}', '{"a": 3}'])
def test_an_answer_that_cannot_be_read_scores_nothing(output):
    assert grade_entities(output, EXPECTED) == {"entity_f1": 0.0, "exact": 0.0, "valid": 0.0}
    assert grade_entities(output, "{}")["entity_f1"] == 0.0
    counts = count_entities(output, EXPECTED)
    assert (counts.found, counts.given, counts.wanted) == (0, 0, 3)


def test_spans_stand_in_the_prompt():
    assert are_spans("Babbage met Ada Lovelace in London.", EXPECTED)
    assert not are_spans("Babbage met Ada in London.", EXPECTED)
    assert not are_spans("Great kettle!", '{"sentiment": ["positive"]}')
