from __future__ import annotations

from pathlib import Path

from burnish.core.records import Row
from burnish.data.cleaning.languages_of_set import wrong_languages
from burnish.data.cleaning.settings import CleanSettings
from tests.planted import sets
from tests.unit.data.cleaning.rows_of import chats, features_of


def judged(rows: list[Row]) -> tuple[list[int], list[str]]:
    verdicts, observations = wrong_languages(features_of(rows), CleanSettings(), rows.__getitem__)
    return [one.index for one in verdicts], [one.detail for one in observations]


ENGLISH = [f"The train number {n} to the coast leaves at nine and arrives before noon." for n in range(40)]
GERMAN = [f"Der Zug Nummer {n} an die Küste fährt um neun und kommt vor Mittag an." for n in range(40)]


def test_a_german_answer_among_english_ones_is_seen() -> None:
    rows = chats([(text, text) for text in ENGLISH] + [(ENGLISH[0], GERMAN[0])])
    assert judged(rows) == ([40], [])


def test_a_set_of_translations_is_sound_and_an_untranslated_answer_is_not() -> None:
    rows = chats([*zip(ENGLISH, GERMAN, strict=True), (ENGLISH[1], ENGLISH[2])])
    assert judged(rows) == ([40], [])


def test_a_set_in_two_languages_is_told_and_no_row_is_wrong() -> None:
    rows = chats([(text, "ok") for text in ENGLISH + GERMAN[:30]])
    indices, observations = judged(rows)
    assert indices == []
    assert observations == ["prompts: en 57%, de 43%"]


def test_few_rows_are_not_judged() -> None:
    assert judged(chats([(text, "ok") for text in [*ENGLISH[:10], GERMAN[0]]])) == ([], [])


def test_english_questions_give_no_false_alarm(data_folder: Path) -> None:
    """10,003 short questions, all in English."""
    assert judged(sets.banking77(data_folder))[0] == []
