import csv
import re
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.core.files import write_jsonl
from burnish.core.records import Chat, Message, Row
from burnish.core.run_folder import RunFolder
from burnish.data.private.settings import PrivateSettings
from burnish.data.review.index import read_part
from burnish.data.review.marks import Marks, read_marks
from burnish.data.review.rows import Doubts
from burnish.data.review.table import write_table
from burnish.data.review.words import as_it_is
from burnish.data.review.write import write_review
from tests.unit.data.review.conftest import CARD_NUMBER, EMAIL, Write, ticket


def lines_of(folder: RunFolder) -> list[dict[str, str]]:
    with (folder.path / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_stands_in_the_table_with_its_doubts(eventful: RunFolder) -> None:
    review = write_review(eventful, private=PrivateSettings())
    lines = lines_of(eventful)
    # 60 rows and the one that was left out for a doubt; what is broken or was not sampled is not offered
    assert (review.rows, review.of_rows, len(lines)) == (61, 61, 61)
    by_part = {part: sum(line["part"] == part for line in lines) for part in ("train", "dev", "test", "dropped")}
    assert by_part == {"train": 58, "dev": 1, "test": 1, "dropped": 1}
    assert {line["keep_or_drop"] for line in lines} == {""}
    assert next(line for line in lines if line["id"] == f"#{7:016x}")["reasons"] == "private_email, private_card"
    assert next(line for line in lines if line["part"] == "dropped")["reasons"] == "near_duplicate"


def test_marks_survive_another_page_and_rows_that_are_gone(eventful: RunFolder) -> None:
    write_review(eventful, private=PrivateSettings(), marks=Marks(keep=frozenset({"gone"})))
    path = eventful.path / "review.csv"
    text = path.read_text("utf-8")
    marked = text.replace(f'"","#{7:016x}"', f'"drop","#{7:016x}"')
    assert marked != text
    path.write_text(marked, "utf-8")
    wanted = Marks(keep=frozenset({"gone"}), drop=frozenset({f"{7:016x}"}))
    for _ in range(2):
        write_review(eventful, private=PrivateSettings())
        assert read_marks(path) == wanted


def test_a_table_that_cannot_be_read_is_never_written_over(eventful: RunFolder) -> None:
    path = eventful.path / "review.csv"
    path.write_text("keep_or_drop,id\nperhaps,#aa\n", "utf-8")
    with pytest.raises(DataError, match="mark"):
        write_review(eventful, private=PrivateSettings())
    assert "perhaps" in path.read_text("utf-8")


def test_no_cell_acts_and_nothing_private_stands_in_it(write_folder: Write) -> None:
    payloads = (
        "=1+1",
        "@SUM(A1)",
        "x;=cmd|' /C calc'!A0",
        "- a list",
        "+1",
        "a\n=b",
        "\x1b[31m\u202e",
        EMAIL,
        CARD_NUMBER,
    )
    rows: list[Row] = [
        Chat(f"{number:x}", (Message("user", text), Message("assistant", text)), f"{text}:1", "")
        for number, text in enumerate(payloads)
    ]
    folder = write_folder(rows)
    write_review(folder, private=PrivateSettings())
    text = (folder.path / "review.csv").read_text("utf-8-sig")
    assert EMAIL not in text
    assert CARD_NUMBER not in text
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\u202e]", text)
    assert text.count("\n") == len(payloads) + 1
    for line in lines_of(folder):
        for cell in line.values():
            assert all(part.strip()[:1] not in set("=+-@") for part in cell.split(";")), cell


def test_of_a_large_set_the_table_holds_doubts_and_a_sample(tmp_path: Path) -> None:
    rows = [ticket(number) for number in range(300)]
    for name, part in (("train", rows[:200]), ("dev", rows[200:220]), ("test", rows[220:])):
        write_jsonl(tmp_path / f"{name}.jsonl", (row.to_json() for row in part))
    parts = [read_part(tmp_path / f"{name}.jsonl", 0) for name in ("train", "dev", "test")]
    doubts = Doubts(reasons={rows[250].id: ("refusal",), rows[3].id: ("refusal", "length_outlier")})
    target = tmp_path / "review.csv"
    first = [rows[299].id]
    assert write_table(target, parts, [], doubts, Marks(drop=frozenset({rows[5].id})), as_it_is, first, most=50) == 50
    with target.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["id"] for line in lines[:4]] == [f"#{rows[number].id}" for number in (5, 299, 3, 250)]
    assert sum(line["part"] == "train" for line in lines) > 25


def test_the_table_is_a_pure_function_of_the_folder(eventful: RunFolder) -> None:
    def files() -> list[bytes]:
        write_review(eventful, private=PrivateSettings())
        return [(eventful.path / name).read_bytes() for name in ("review.csv", "review.html")]

    assert files() == files()
