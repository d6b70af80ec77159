from __future__ import annotations

from burnish.data.cleaning.settings import CleanSettings
from burnish.data.cleaning.truncated import truncated_answers
from tests.unit.data.cleaning.rows_of import chats, features_of

OFF = CleanSettings(language="off")
SENTENCE = "The train to the coast leaves at nine and arrives before noon"


def found(answers: list[str]) -> tuple[list[int], list[str]]:
    verdicts, observations = truncated_answers(features_of(chats([("q", answer) for answer in answers]), OFF), OFF)
    return [one.index for one in verdicts], [one.detail for one in observations]


def test_an_open_code_block_shows_itself_in_any_set() -> None:
    assert found(["```python\nprint(1)", "yes", "no", "yes", "no", "no"]) == ([0], [])


def test_a_hanging_sentence_is_a_fault_where_the_others_end() -> None:
    assert found([f"{SENTENCE}."] * 80 + [f"{SENTENCE} and the", SENTENCE]) == ([80, 81], [])


def test_an_absent_full_stop_is_the_custom_where_many_leave_it_out() -> None:
    assert found([f"{SENTENCE}."] * 40 + [SENTENCE] * 5) == ([], [])


def test_answers_cut_at_one_length_are_seen_with_their_cause() -> None:
    """Without the limit the set would pass: a third of its answers have no full stop."""
    cut = [(f"{number} " + f"{SENTENCE} " * 9)[:400] for number in range(6)]
    assert all(answer[-1].isalpha() for answer in cut)
    indices, observations = found([f"{SENTENCE}."] * 40 + [SENTENCE] * 14 + cut)
    assert indices == [54, 55, 56, 57, 58, 59]
    assert observations == ["6 answers break off at exactly 400 characters"]


def test_a_limit_in_tokens_shows_among_the_longest() -> None:
    long = [f"{SENTENCE}, " * 4 + SENTENCE + " x" * number for number in range(10)]
    indices, observations = found([f"{SENTENCE}."] * 90 + long)
    assert indices == list(range(90, 100))
    assert "a limit in tokens" in observations[0]
