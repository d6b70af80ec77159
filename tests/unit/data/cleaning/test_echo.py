from __future__ import annotations

from burnish.data.cleaning.echo import length_of_echo, without_echo

PROMPT = "What is the capital of France, and how many people live there?"


def test_an_answer_that_repeats_the_prompt_is_an_echo() -> None:
    answer = f"{PROMPT}\n\nParis, two million."
    assert length_of_echo(PROMPT, answer) == len(PROMPT)
    assert without_echo(PROMPT, answer) == "Paris, two million."


def test_an_echo_may_differ_in_spacing_and_stand_in_quotes() -> None:
    answer = "“What is the capital of France,\nand  how many people live there?”: Paris."
    assert without_echo("  What is the capital of France, and how many people live there?", answer) == answer
    spaced = "What is the capital of France,\nand  how many people live there? Paris."
    assert without_echo(PROMPT, spaced) == "Paris."


def test_an_answer_that_is_only_the_prompt_is_seen_and_stays() -> None:
    assert length_of_echo(PROMPT, PROMPT) == len(PROMPT)
    assert without_echo(PROMPT, PROMPT) == PROMPT


def test_a_short_prompt_may_be_repeated_on_purpose() -> None:
    assert length_of_echo("What is a cat?", "What is a cat? An animal.") == 0


def test_an_answer_that_only_begins_alike_is_none() -> None:
    assert length_of_echo(PROMPT, "What is the capital of France depends on the century.") == 0
