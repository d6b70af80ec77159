from __future__ import annotations

from collections import Counter

from burnish.evals.suites import fingerprint, general_text, instructions, knowledge, short_part
from burnish.graders.constraints import grade_constraints


def test_suites_have_the_stated_sizes_and_no_id_twice() -> None:
    sizes = {}
    for name, items in (("k", knowledge()), ("i", instructions()), ("g", general_text())):
        assert len({item.id for item in items}) == len(items)
        sizes[name] = len(items)
    assert sizes == {"k": 360, "i": 320, "g": 64}


def test_right_answers_stand_at_every_place_equally_often() -> None:
    assert set(Counter(question.answer for question in knowledge()).values()) == {90}
    assert all(len(set(question.choices)) == 4 for question in knowledge())


def test_every_check_can_be_graded() -> None:
    for instruction in instructions():
        assert grade_constraints("Yes, 3 apples.", instruction.expected)["followed"] in (0.0, 1.0)


def test_short_part_is_a_fixed_part_in_the_old_order() -> None:
    whole = knowledge()
    short = short_part(whole, 120)
    assert short == short_part(whole[::-1], 120)[::-1]
    places = [whole.index(question) for question in short]
    assert len(places) == 120
    assert places == sorted(places)


def test_fingerprint_is_stable() -> None:
    assert fingerprint() == fingerprint()
