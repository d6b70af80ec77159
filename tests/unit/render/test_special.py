import random
import re

from burnish.render.special import special_names

NAMES = {
    name: number for number, name in enumerate(["<s>", "</s>", "<|end|>", "<|end|>\n", "[A]", "[A][B]", "]", "^x"])
}


def some_texts() -> list[str]:
    chance = random.Random(0)
    parts = [*NAMES, "<", "|", "end|>", "[A", "\\", "^", "-", "a", "\n", "blue"]
    return ["".join(chance.choice(parts) for _ in range(chance.randint(0, 9))) for _ in range(2000)]


def test_names_are_found_wherever_they_stand() -> None:
    names = special_names(NAMES)
    for text in some_texts():
        assert names.found_in(text) == {name for name in NAMES if name in text}


def test_a_text_is_cut_at_the_longest_names() -> None:
    names = special_names(NAMES)
    longest_first = "|".join(re.escape(name) for name in sorted(NAMES, key=len, reverse=True))
    for text in some_texts():
        assert list(names.split(text)) == [part for part in re.split(f"({longest_first})", text) if part]


def test_without_names_nothing_is_found() -> None:
    names = special_names({})
    assert names.found_in("<s>") == set()
    assert list(names.split("<s>")) == ["<s>"]
    assert list(names.split("")) == []
