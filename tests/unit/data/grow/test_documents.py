from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.core.records import Row, Text
from burnish.data.grow.documents import MOST_CHARACTERS, passages, passages_of_files, passages_of_rows
from tests.serving import chat

SENTENCE = "The old mill beside the river grinds flour on two days of the week. "


def test_a_short_document_is_one_passage_and_a_heading_is_none() -> None:
    assert list(passages(SENTENCE)) == [(1, SENTENCE.strip())]
    assert list(passages("# The mill\n")) == []
    assert list(passages("")) == []


def test_passages_end_with_paragraphs_and_know_their_line() -> None:
    paragraph = SENTENCE * 10  # 680 characters
    text = "\n\n".join([paragraph] * 6)
    found = list(passages(text))
    # two paragraphs and the gaps take 1,364 characters, a third would pass 2,000; lines 1, 3, 5, 7, 9, 11
    assert [line for line, _ in found] == [1, 5, 9]
    assert all(len(one) <= MOST_CHARACTERS for _, one in found)


@pytest.mark.parametrize(
    "text", [SENTENCE * 200, "word " * 3000, "x" * 9000, "包裹在哪里。" * 2000, "\n" * 5000 + SENTENCE]
)
def test_nothing_but_space_is_lost_between_passages(text: str) -> None:
    found = "".join(one for _, one in passages(text))
    assert "".join(found.split()) == "".join(text.split())


def test_plain_text_rows_are_documents_and_keep_their_group() -> None:
    rows: list[Row] = [chat("a", "b"), Text("t1", SENTENCE, "notes.txt:3", "g1")]
    (passage,) = passages_of_rows(rows)
    assert (passage.id, passage.source, passage.group) == ("t1", "notes.txt:3", "g1")


def test_a_folder_is_read_with_the_place_of_each_passage(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.MD").write_text(f"\ufeff\n\n{SENTENCE}", encoding="utf-8")
    (tmp_path / "a.txt").write_bytes(SENTENCE.encode() + b"\r\n\r\n" + SENTENCE.encode())
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    found = list(passages_of_files(tmp_path))
    assert [one.source for one in found] == ["a.txt:1", "deep/b.MD:3"]
    assert len({one.group for one in found}) == 2
    assert [one.source for one in passages_of_files(tmp_path / "a.txt")] == ["a.txt:1"]


def test_a_folder_without_documents_and_one_that_is_not_text_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no documents"):
        list(passages_of_files(tmp_path))
    with pytest.raises(DataError, match="no documents"):
        list(passages_of_files(tmp_path / "absent"))
    (tmp_path / "latin.txt").write_bytes("Öl und Käse".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8") as failed:
        list(passages_of_files(tmp_path))
    assert failed.value.where.endswith("latin.txt")
