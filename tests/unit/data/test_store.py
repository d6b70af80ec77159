from pathlib import Path

from burnish.core.records import Chat, Message, Pair, Row, Text
from burnish.data.store import RowStore

ROWS: list[Row] = [
    Text("a", "one\u2028line \U0001f600", "f:1"),
    Chat("b", (Message("user", "q"), Message("assistant", "a")), "f:2"),
    Pair("c", (Message("user", "q"),), "better", "worse", "f:3"),
]


def test_rows_come_back_by_number_in_any_order(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    for row in ROWS:
        store.append(row)
    assert len(store) == 3
    assert [store[2], store[0], store[1]] == [ROWS[2], ROWS[0], ROWS[1]]
    assert list(store) == ROWS


def test_rows_may_be_read_between_two_that_are_added(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.append(ROWS[0])
    assert store[0] == ROWS[0]
    store.append(ROWS[1])
    assert list(store) == ROWS[:2]


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.append(ROWS[0])
    store.close()
    assert not list(tmp_path.iterdir())
