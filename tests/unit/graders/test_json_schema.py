import json

import pytest

from burnish.core.errors import RecipeError
from burnish.graders.json_schema import grade_structure, has_keys, read_schema

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "rooms": {"$ref": "#/$defs/count"}},
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"count": {"type": "integer", "minimum": 1}},
}
EXPECTED = '{"city": "Bonn", "rooms": 2}'


@pytest.fixture
def file(tmp_path):
    return tmp_path / "schema.json"


def schema_score(file, output, expected=EXPECTED):
    return grade_structure(output, expected, read_schema(file))["schema"]


def test_an_answer_may_be_wrong_and_built_as_it_should_be(file):
    file.write_text(json.dumps(SCHEMA))
    scores = grade_structure('{"city": "Rome"}', EXPECTED, read_schema(file))
    assert scores == {"valid": 1.0, "exact": 0.0, "field_f1": 0.0, "schema": 1.0}


@pytest.mark.parametrize(
    "output", ['{"rooms": 2}', '{"city": "Bonn", "rooms": 0}', '{"city": 5}', '{"city": "a", "b": 1}']
)
def test_what_breaks_the_schema(file, output):
    file.write_text(json.dumps(SCHEMA))
    assert schema_score(file, output) == 0.0


def test_text_without_an_object_meets_no_schema(file):
    file.write_text("{}")
    assert schema_score(file, "Bonn") == 0.0
    assert schema_score(file, "none", "None.") == 1.0


@pytest.mark.parametrize("text", ["", "{", '{"type": "objekt"}', "[]", '"a"'])
def test_what_is_no_schema_is_an_error(file, text):
    file.write_text(text)
    with pytest.raises(RecipeError, match="no JSON Schema"):
        read_schema(file)


def test_nothing_is_fetched_for_a_schema(file):
    file.write_text('{"$ref": "http://127.0.0.1:9/schema.json"}')
    with pytest.raises(RecipeError, match="not in it"):
        schema_score(file, EXPECTED)


def test_without_a_schema_the_usual_keys_are_asked_for():
    assert grade_structure('{"a": 1, "b": 2}', '{"a": 1}', has_keys(["a"]))["schema"] == 1.0
    assert grade_structure('{"b": 2}', '{"a": 1}', has_keys(["a"]))["schema"] == 0.0
