"""CoNLL: sentences, their entities, and lines that do not fit."""

from pathlib import Path

import pytest

from tests.unit.data.read.reading import read

WORDS = "Jane B-person|Doe I-person|saw O|Empire B-place|State I-place|, O|ESB B-place|Oslo B-place||No O|"
SENTENCES = WORDS.replace(" ", "\t").replace("|", "\n")


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.annotated"])
def test_a_sentence_is_a_row_with_its_entities(tmp_path: Path, name: str) -> None:
    first, second = read(tmp_path, name, SENTENCES).values
    assert first["text"] == "Jane Doe saw Empire State , ESB Oslo"
    assert first["entities"] == {"person": ["Jane Doe"], "place": ["Empire State", "ESB", "Oslo"]}
    assert second == {"text": "No", "entities": {}, "words": ["No"], "tags": ["O"]}


def test_columns_between_word_and_tag_are_passed_over(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\n"
    assert read(tmp_path, "a.conll", content).values[1]["entities"] == {"ORG": ["EU"], "MISC": ["German"]}


def test_a_sentence_with_a_line_that_has_no_tag_is_dropped(tmp_path: Path) -> None:
    result = read(tmp_path, "a.conll", SENTENCES + "\nword\tO\nlonely\n\nend\tO\n")
    assert result.places == [("a.conll:12", "not_conll")]
    assert len(result.raws) == 3
