from collections.abc import Callable

import pytest

from burnish.data.grow import checks
from burnish.data.grow.reasons import REASONS, Rejected

ENGLISH = "My parcel was to come on Monday and nobody has told me where it is now."


def reason(check: Callable[..., None], *arguments: object) -> str:
    """The code with which a check rejects; empty where it does not."""
    try:
        check(*arguments)
    except Rejected as rejected:
        return rejected.reason if rejected.reason in REASONS else "not in REASONS"
    return ""


@pytest.mark.parametrize(
    ("made", "origin", "expected"),
    [
        ("I'm sorry, but I can't assist with that.", ENGLISH, "made_refusal"),
        ("As an AI language model, I have no parcel.", ENGLISH, "made_refusal"),
        ("Nobody knows where my parcel is.", ENGLISH, ""),
        ("I can't assist with that request.", "I'm sorry, I can't assist with that.", ""),
    ],
)
def test_a_refusal_is_seen(made: str, origin: str, expected: str) -> None:
    assert reason(checks.check_not_refused, made, origin) == expected


def test_another_language_is_seen_and_short_texts_pass() -> None:
    german = "Mein Paket sollte am Montag kommen, und niemand sagt mir, wo es jetzt ist."
    assert reason(checks.check_language, german, ENGLISH) == "made_other_language"
    assert reason(checks.check_language, "Nobody tells me where the parcel is that was due on Monday.", ENGLISH) == ""
    assert reason(checks.check_language, "wo?", ENGLISH) == ""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("Where did my parcel go that should have come Monday?", ""),
        ("The weather is lovely this week.", "made_unrelated"),
    ],
)
def test_words_of_weight_come_back(made: str, expected: str) -> None:
    # of parce, monda, nobod, told a quarter, one, must come back
    assert reason(checks.check_related, made, ENGLISH) == expected


def test_scripts_without_spaces_are_compared_by_their_signs() -> None:
    assert reason(checks.check_related, "包裹什么时候到？", "我的包裹在哪里？") == ""
    assert reason(checks.check_related, "今天天气很好", "我的包裹在哪里？") == "made_unrelated"


@pytest.mark.parametrize(
    ("made", "origin", "expected"),
    [
        ("The parcel is on its way.", "Where is my parcel?", "made_answered"),
        ("I'm sorry, could you say that again?", "Where is my parcel?", "made_answered"),
        ("Has my parcel got lost?", "Where is my parcel?", ""),
        ("包裹在哪里？", "我的包裹在哪？", ""),
        ("Sorry to bother you: my parcel is late.", "Sorry, my parcel is late.", ""),
        ("You can find it at the post office.", "My parcel is late.", "made_answered"),
    ],
)
def test_an_answer_is_no_paraphrase(made: str, origin: str, expected: str) -> None:
    assert reason(checks.check_not_answered, made, origin) == expected


@pytest.mark.parametrize(
    ("made", "origin", "expected"),
    [
        ("Your parcel is late.", "My parcel is late.", "made_speaker"),
        ("Let me show you how to change your PIN.", "Please tell me how to change my PIN.", "made_speaker"),
        ("Could you explain how I change my PIN?", "Please tell me how to change my PIN.", ""),
        ("Do you sell stamps?", "Are stamps for sale here?", ""),
    ],
)
def test_the_speaker_stays_the_same(made: str, origin: str, expected: str) -> None:
    assert reason(checks.check_speaker, made, origin) == expected


@pytest.mark.parametrize(
    ("made", "origin", "expected"),
    [
        ("How do I know that the transfer went through?", "Why didn't the transfer go through?", "made_negation"),
        ("Why did the transfer fail?", "Why didn't the transfer go through?", ""),
        ("I have no PIN.", "I dont have a PIN.", ""),
        ("The money is unavailable.", "The money is not available.", ""),
        ("My parcel has not come, where is it?", "Where is my parcel?", ""),
        ("Is anything known?", "Is a notary known?", ""),
    ],
)
def test_what_is_not_so_stays_so(made: str, origin: str, expected: str) -> None:
    assert reason(checks.check_negation, made, origin) == expected


def test_a_model_that_speaks_about_its_task_is_seen() -> None:
    assert reason(checks.check_not_about_text, "The new sentence keeps the meaning.", ENGLISH) == "made_not_parseable"
    assert reason(checks.check_not_about_text, "This sentence is long.", "Is this sentence too long?") == ""


def test_numbers_stay() -> None:
    assert reason(checks.check_same_numbers, "On 3 May I sent 12.50.", "I sent 12.50 on 3 May.") == ""
    assert reason(checks.check_same_numbers, "I sent 12.5 on 3 May.", "I sent 12.50 on 3 May.") == "made_numbers"
    assert reason(checks.check_same_numbers, "I sent money.", "I sent 5.") == "made_numbers"
    assert reason(checks.check_no_new_numbers, "5 of 7", "5 came", "of 7") == ""
    assert reason(checks.check_no_new_numbers, "5 of 8", "5 came", "of 7") == "made_numbers"


def test_what_the_answer_takes_from_the_prompt_stays() -> None:
    origin = "Send the blue lamp to Ada Lovelace, please."
    assert reason(checks.check_facts, "Ada Lovelace wants the blue lamp.", origin, ["Ada Lovelace", "order"]) == ""
    assert reason(checks.check_facts, "She wants the blue lamp.", origin, ["ada lovelace!"]) == "made_fact_lost"
    assert reason(checks.check_facts, "A blue light.", origin, ["lam"]) == ""  # no whole word of the origin


def test_a_text_in_other_words_is_not_twice_as_long() -> None:
    # 2 · 20 + 60 = 100
    assert reason(checks.check_length, "x" * 100, "y" * 20) == ""
    assert reason(checks.check_length, "x" * 101, "y" * 20) == "made_too_long"
