"""Numbers of rows in temporary files."""

from pathlib import Path

import numpy as np
import pytest

from burnish.data.column import AT_ONCE, Column


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1])
def test_what_was_added_is_there_in_order(tmp_path: Path, count: int) -> None:
    column = Column(np.uint64, tmp_path)
    column.extend(range(count // 2))
    for value in range(count // 2, count):
        column.append(value + 2**63 - 1)
    assert len(column) == count
    found = column.finish()
    assert found.dtype == np.uint64
    assert found.tolist() == [*range(count // 2), *(value + 2**63 - 1 for value in range(count // 2, count))]
    assert not list(tmp_path.iterdir())


def test_a_record_and_bytes_with_zeros_at_their_end_come_back() -> None:
    records = Column([("hash", "u8"), ("sure", "f4")])
    records.append((2**64 - 1, 0.5))
    assert records.finish().tolist() == [(2**64 - 1, 0.5)]
    digests = Column("S16")
    digests.append(bytes(range(1, 9)) + bytes(8))
    assert digests.finish().tobytes() == bytes(range(1, 9)) + bytes(8)


def test_a_column_that_was_read_is_read_again_and_takes_no_more() -> None:
    column = Column(np.int64)
    column.append(7)
    assert column.finish() is column.finish()
    with pytest.raises(AssertionError):
        column.append(8)
