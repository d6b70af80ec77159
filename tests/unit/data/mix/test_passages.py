import json
import random

from burnish.core.records import Text
from burnish.data.mix.passages import split_on_paragraphs
from tests.unit.data.mix.talks import length_of, words


def passages(text: str, limit: int) -> list[str]:
    found = split_on_paragraphs(Text("t", text, "f:1"), len(text.split()), limit, length_of)
    return [one.text for one in found.rows if isinstance(one, Text)]


def test_a_text_is_cut_where_paragraphs_end() -> None:
    # 30 + 30 + 30 words, at most 70: the second cut is where the text ends.
    parts = [words(30, name) for name in "abc"]
    assert passages("\n\n".join(parts), 70) == ["\n\n".join(parts[:2]), parts[2]]


def test_without_paragraphs_at_lines_and_without_lines_at_words() -> None:
    lines = [words(30, name) for name in "abc"]
    assert passages("\n".join(lines), 70) == ["\n".join(lines[:2]), lines[2]]
    found = passages(words(300), 100)
    assert " ".join(found) == words(300)
    assert all(90 <= len(part.split()) <= 100 for part in found[:-1])


def test_a_paragraph_in_the_first_half_is_no_reason_to_cut() -> None:
    text = f"title\n\n{words(200)}"
    assert len(passages(text, 100)[0].split()) > 90


def test_the_first_line_of_a_passage_keeps_its_indentation() -> None:
    text = "\n".join(f"    {words(9, str(n))}" for n in range(20))
    assert all(part.startswith("    ") for part in passages(text, 50))


def test_rows_and_the_record_of_what_they_were() -> None:
    row = Text("t", words(250), "f:1", "g")
    found = split_on_paragraphs(row, 250, 100, length_of)
    assert [(one.id, one.source, one.group) for one in found.rows] == [(f"t.{n}", "f:1", "g") for n in (1, 2, 3)]
    (changed,) = found.changed
    assert (changed.reason, changed.path, changed.before) == ("split_on_paragraphs", "text", row.text)
    assert json.loads(changed.after) == ["t.1", "t.2", "t.3"]


def test_nothing_but_blank_space_is_lost() -> None:
    chance = random.Random(0)
    for _ in range(100):
        pieces = [
            words(chance.randint(1, 40)) + chance.choice(["\n\n", "\n", " ", "  \n\n\n  ", ". "]) for _ in range(30)
        ]
        text, limit = "".join(pieces), chance.randint(10, 120)
        found = passages(text, limit)
        assert "".join("".join(found).split()) == "".join(text.split())
        assert all(len(part.split()) <= limit for part in found)


def test_scripts_without_spaces_are_cut_too() -> None:
    def characters(row: object) -> int:
        assert isinstance(row, Text)
        return len(row.text)

    text = "漢字" * 500
    found = split_on_paragraphs(Text("t", text), len(text), 300, characters)
    assert "".join(one.text for one in found.rows if isinstance(one, Text)) == text
    assert len(found.rows) == 4


def test_a_text_of_which_no_word_fits_is_left_out_whole() -> None:
    found = split_on_paragraphs(Text("t", "a b c"), 300, 50, lambda row: 100)
    assert found.rows == ()
    assert found.dropped[0].row["text"] == "a b c"


def test_a_long_text_takes_a_few_measurements_a_passage() -> None:
    tries = 0

    def counted(row: object) -> int:
        nonlocal tries
        tries += 1
        assert isinstance(row, Text)
        return length_of(row)

    found = split_on_paragraphs(Text("t", words(50_000)), 50_000, 1_000, counted)
    assert tries <= 5 * len(found.rows)
