from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from burnish.core.errors import BurnishError
from burnish.core.files import write_jsonl
from burnish.core.records import Chat, Pair, Row, Text
from burnish.data.review.index import PartIndex, extremes, largest_classes, read_part
from tests.unit.data.review.conftest import ticket


def index(folder: Path, rows: list[Row], seed: int = 0) -> PartIndex:
    path = folder / "train.jsonl"
    write_jsonl(path, (row.to_json() for row in rows))
    return read_part(path, seed)


def test_rows_are_found_by_number_and_by_id(tmp_path: Path) -> None:
    rows: list[Row] = [ticket(number, "a\u2028b" if number == 3 else "") for number in range(9)]
    part = index(tmp_path, rows)
    assert (part.part, len(part)) == ("train", 9)
    assert part.rows([8, 3]) == [rows[8], rows[3]]
    assert part.numbers_of([rows[4].id, "nowhere"]) == {rows[4].id: 4}


def test_lengths_are_those_of_the_texts(tmp_path: Path) -> None:
    pair = Pair("p", ticket(1, "four").messages[:1], "better", "bad")
    part = index(tmp_path, [ticket(1, "four", "six"), Text("t", "seven77"), pair])
    # 4 + 3; 7; 4 + 6 + 3
    assert part.chars_N.tolist() == [7, 7, 13]
    assert part.prompt_chars_N.tolist() == [4, 0, 4]
    assert part.answer_chars_N.tolist() == [3, 7, 6]
    assert part.kinds == Counter(chat=1, text=1, pair=1)


def test_a_sample_does_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    rows: list[Row] = [ticket(number) for number in range(50)]

    def drawn(rows: list[Row], seed: int) -> list[str]:
        part = index(tmp_path, rows, seed)
        return [row.id for row in part.rows(part.sample(5))]

    assert drawn(rows, 0) == drawn(rows[::-1], 0)
    assert drawn(rows, 0) != drawn(rows, 1)


def test_the_largest_classes_are_found_with_their_sizes() -> None:
    hashes = np.array([7, 1, 7, 9, 7, 1], np.uint64)
    assert largest_classes(hashes, most=5, shown=2) == [(3, [0, 2]), (2, [1, 5])]
    assert largest_classes(np.array([], np.uint64), most=5, shown=2) == []


def test_extremes_are_the_shortest_and_the_longest() -> None:
    assert extremes(np.array([5, 1, 9, 3]), 2) == ([1, 3], [2, 0])


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    write_jsonl(path, [ticket(1).to_json(), {"id": "x"}])
    with pytest.raises(BurnishError) as raised:
        read_part(path, 0)
    assert raised.value.where.endswith("dev.jsonl:2")


def test_rows_without_a_group_stand_alone(tmp_path: Path) -> None:
    rows: list[Row] = [Chat(str(number), ticket(1).messages) for number in range(3)]
    assert largest_classes(index(tmp_path, rows).group_N, 5, 5) == []
