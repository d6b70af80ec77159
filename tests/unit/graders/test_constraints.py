import json

import pytest

from burnish.core.errors import DataError
from burnish.graders.constraints import CHECKS, count_sentences, grade_constraints


def followed(output, *checks):
    return grade_constraints(output, json.dumps(checks))["followed"] == 1.0


HOLDS = [
    ("a Window seat", {"check": "contains", "text": "window"}),
    ("two grapes", {"check": "contains", "text": "grape"}),
    ("good\nmorning", {"check": "contains", "text": "good morning"}),
    ("Red, then green.", {"check": "contains_all", "texts": ["red", "green"]}),
    ("It is colder.", {"check": "excludes", "text": "cold"}),
    ("banana banana banana", {"check": "repeats", "text": "banana", "n": 3}),
    ('"Hello, neighbour"', {"check": "starts_with", "text": "Hello"}),
    ("Thanks for all, with love.", {"check": "ends_with", "text": "with love"}),
    ("Happy new year!", {"check": "ends_with", "text": "!"}),
    ("Yes.", {"check": "one_of", "options": ["yes", "no"]}),
    ("one two three", {"check": "max_words", "n": 3}),
    ("one two three", {"check": "min_words", "n": 3}),
    ("Mr. B. Brown came at 3.5 p.m. today. He left.", {"check": "sentences", "n": 2}),
    ("- a\n- b\n• c", {"check": "bullets", "n": 3}),
    ("Two:\n1. a\n2) b", {"check": "bullets", "n": 2}),
    ('```json\n{"name": "A", "age": 3, "x": 1}\n```', {"check": "json_object", "keys": ["name", "age"]}),
    ("all low 12.", {"check": "lowercase"}),
    ("STOP!", {"check": "uppercase"}),
    ("no comma; here", {"check": "no_commas"}),
    ("7 days", {"check": "contains_digit"}),
    ("seven days", {"check": "no_digits"}),
    ('Why "so?"', {"check": "ends_with_question"}),
]
FAILS = [
    ("bored", {"check": "contains", "text": "red"}),
    ("Red alone", {"check": "contains_all", "texts": ["red", "green"]}),
    ("So COLD today", {"check": "excludes", "text": "cold"}),
    ("banana, bananas and banana", {"check": "repeats", "text": "banana", "n": 3}),
    ("Oh hello", {"check": "starts_with", "text": "Hello"}),
    ("Firstly, wash", {"check": "starts_with", "text": "First"}),
    ("amen to that", {"check": "ends_with", "text": "amen"}),
    ("examen", {"check": "ends_with", "text": "amen"}),
    ("yes, it is", {"check": "one_of", "options": ["yes", "no"]}),
    ("one two three four", {"check": "max_words", "n": 3}),
    ("one two", {"check": "min_words", "n": 3}),
    ("One. Two.", {"check": "sentences", "n": 1}),
    ("One line\nand another", {"check": "sentences", "n": 1}),
    ("- a\n- b", {"check": "bullets", "n": 3}),
    ('{"name": "A"}', {"check": "json_object", "keys": ["name", "age"]}),
    ("name and age", {"check": "json_object", "keys": ["name", "age"]}),
    ("All low", {"check": "lowercase"}),
    ("Stop", {"check": "uppercase"}),
    ("one, two", {"check": "no_commas"}),
    ("seven", {"check": "contains_digit"}),
    ("7", {"check": "no_digits"}),
    ("Why? Because.", {"check": "ends_with_question"}),
]


@pytest.mark.parametrize(("output", "check"), HOLDS)
def test_the_check_holds(output, check):
    assert followed(output, check)


@pytest.mark.parametrize(("output", "check"), FAILS)
def test_the_check_fails(output, check):
    assert not followed(output, check)


def test_every_check_is_tried_both_ways():
    assert {check["check"] for _, check in HOLDS} == {check["check"] for _, check in FAILS} == set(CHECKS)


def test_an_empty_answer_follows_nothing():
    assert not followed("", {"check": "no_digits"})
    assert not followed(" \n", {"check": "max_words", "n": 5})


def test_all_checks_must_hold():
    checks = ({"check": "contains", "text": "fox"}, {"check": "starts_with", "text": "Once"})
    assert followed("Once a fox ran.", *checks)
    assert not followed("A fox ran once.", *checks)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("One", 1),
        ("One! Two? Three…", 3),
        ('He said "stop." Then he left.', 2),
        ("e.g. this one", 1),
        ("...", 0),
    ],
)
def test_sentences_are_counted(text, n):
    assert count_sentences(text) == n


@pytest.mark.parametrize(
    "expected", ['[{"check": "rhymes"}]', '[{"check": "max_words"}]', '[{"n": 3}]', "[3]", "nonsense"]
)
def test_an_unknown_check_is_an_error(expected):
    with pytest.raises(DataError):
        grade_constraints("text", expected)
