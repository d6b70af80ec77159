from __future__ import annotations

from burnish.data.cleaning.judge import judge
from burnish.data.cleaning.reasons import REASONS
from burnish.data.cleaning.settings import CleanSettings
from tests.unit.data.cleaning.rows_of import chats, features_of

SENTENCE = "The train to the coast leaves at nine and arrives before noon"


def test_verdicts_come_in_the_order_of_rows_with_known_reasons() -> None:
    rows = chats([("p" * 100, f"{SENTENCE}.")] * 60 + [("p" * 5000, f"{SENTENCE} and"), ("p" * 100, f"{SENTENCE},")])
    judgement = judge(features_of(rows), CleanSettings(), rows.__getitem__)
    assert [(one.index, one.reason) for one in judgement.verdicts] == [
        (60, "truncated_answer"),
        (60, "length_outlier"),
        (61, "truncated_answer"),
    ]
    assert all(one.reason in REASONS for one in (*judgement.verdicts, *judgement.observations))


def test_what_is_off_is_not_looked_for_and_drop_is_passed_on() -> None:
    rows = chats([("p" * 100, f"{SENTENCE}.")] * 60 + [("p" * 5000, f"{SENTENCE} and")])
    settings = CleanSettings(length="drop", truncated="off")
    (verdict,) = judge(features_of(rows), settings, rows.__getitem__).verdicts
    assert (verdict.reason, verdict.drop) == ("length_outlier", True)


def test_no_rows_give_no_verdict() -> None:
    judgement = judge(features_of([]), CleanSettings(), [].__getitem__)
    assert judgement.verdicts == judgement.observations == ()
