from __future__ import annotations

import json

from burnish.core.records import Chat, Message
from burnish.evals.prompt_instructions import language_of, written_instructions


def rows(*answers: str, prompt: str = "What is it?") -> list[Chat]:
    return [
        Chat(str(number), (Message("user", prompt), Message("assistant", answer)))
        for number, answer in enumerate(answers)
    ]


def written(kind: str, *answers: str, prompt: str = "What is it?") -> str:
    return written_instructions(rows(*answers, prompt=prompt), kind, most_characters=100)


def test_labels_are_listed_once_and_sorted() -> None:
    assert written("label", "spam", "ham", "spam").endswith("nothing else: ham, spam.")


def test_a_list_of_labels_that_is_too_long_is_left_out() -> None:
    assert (
        written("label", *(f"label number {n}" for n in range(20))) == "Answer with the right label and nothing else."
    )


def test_json_names_keys_in_order_with_closed_values_and_types() -> None:
    answers = [
        json.dumps(
            {"kind": "bill" if n % 2 else "return", "count": n, "who": None if n % 3 else f"name{n}", "tags": ["a"]}
        )
        for n in range(12)
    ]
    lines = written("json", *answers).splitlines()
    assert lines[1:] == [
        '- "kind": one of "bill", "return"',
        '- "count": a number',
        '- "who": a string or null',  # 4 names in 4 rows do not repeat: an open field
        '- "tags": a list of ("a")',
    ]


def test_json_describes_objects_within_objects_and_rare_keys() -> None:
    answers = [json.dumps({"at": {"x": n}}) for n in range(9)] + [json.dumps({"at": {"x": 1}, "note": True})]
    lines = written("json", *answers).splitlines()
    assert lines[1:] == ['- "at": an object', '- "at.x": a number', '- "note": true or false (only where it applies)']


def test_numbers_ask_for_the_form_that_train_uses() -> None:
    assert written("number", "4", "17") == "Answer with the number and nothing else."
    assert '"#### "' in written("number", "2 + 2 = 4\n#### 4", "so 17\n#### 17")


def test_text_states_length_and_a_foreign_language() -> None:
    german = "Das ist nicht der Hund und die Katze ist auch nicht zu Hause"
    assert (
        written("text", german, prompt="The dog and the cat are not at home") == "Answer in about 13 words, in German."
    )
    english = "The dog is in the house and the cat is on the roof"
    assert written("text", english, prompt="Where is the dog and where is the cat?") == "Answer in about 13 words."


def test_texts_of_many_lengths_give_a_range() -> None:
    # ten texts of 1 … 10 words: the second shortest has 2, the second longest (index 9) 10
    assert written("text", *(" ".join(["word"] * n) for n in range(1, 11))) == "Answer in 2 to 10 words."


def test_language_is_not_guessed_from_names_and_codes() -> None:
    assert language_of(["Warszawa 4417", "KX-12"]) is None
