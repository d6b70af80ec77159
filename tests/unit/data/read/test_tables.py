"""Parquet and Arrow: values, batches, damage."""

import random
from datetime import date
from io import BytesIO
from pathlib import Path

import polars
import pytest

from burnish.core.errors import DataError
from burnish.data.read.arrow_stream import record_batches
from burnish.data.read.raw import MOST_ROW_CHARACTERS
from tests.unit.data.read.reading import Result, read

ROWS = [
    {"messages": [{"role": "user", "content": f"hé {number}"}], "n": number, "kind": "ab"[number % 2], "none": None}
    for number in range(300)
]
FRAME = polars.DataFrame(ROWS)
CATEGORIES = FRAME.with_columns(polars.col("kind").cast(polars.Categorical))


def stored(kind: str, frame: polars.DataFrame = FRAME, **options: object) -> bytes:
    out = BytesIO()
    match kind:
        case "parquet":
            frame.write_parquet(out, row_group_size=70, **options)  # type: ignore[arg-type]
        case "arrow":
            frame.write_ipc(out, record_batch_size=70, **options)  # type: ignore[arg-type]
        case _:
            frame.write_ipc_stream(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
@pytest.mark.parametrize("frame", [FRAME, CATEGORIES], ids=["plain", "categories"])
def test_all_rows_come_in_order_with_nested_values(tmp_path: Path, kind: str, frame: polars.DataFrame) -> None:
    result = read(tmp_path, "a.arrow" if kind == "stream" else f"a.{kind}", stored(kind, frame))
    assert result.values == ROWS
    assert [raw.source for raw in result.raws][-1].endswith(":300")
    assert (result.facts.kind, result.facts.encoding) == ("Parquet" if kind == "parquet" else "Arrow", "")


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_batches_of_a_stream_are_read(tmp_path: Path, compression: str) -> None:
    assert read(tmp_path, "a.arrow", stored("stream", compression=compression)).values == ROWS


def test_a_stream_of_several_batches_is_cut_into_streams_of_one() -> None:
    parts = [FRAME[:100], FRAME[100:101], FRAME[101:]]
    streams = [stored("stream", part) for part in parts]
    schema_size = 8 + int.from_bytes(streams[0][4:8], "little")  # the first message: it has no body
    batches = [list(record_batches(iter([stream]), "a"))[-1] for stream in streams]
    assert [polars.read_ipc_stream(batch).height for batch in batches] == [100, 1, 199]
    body = streams[0][:schema_size] + b"".join(stream[schema_size:-8] for stream in streams)
    cut = [body[at : at + 37] for at in range(0, len(body), 37)]
    joined = [polars.read_ipc_stream(batch) for batch in record_batches(iter(cut), "a")]
    assert polars.concat(joined).equals(FRAME)


def test_missing_numbers_are_null_and_dates_outside_the_calendar_cost_one_row(tmp_path: Path) -> None:
    days = polars.Series("day", [0, 2**30, 1], dtype=polars.Int32).cast(polars.Date)
    frame = polars.DataFrame({"n": [1.5, float("nan"), None]}).with_columns(days)
    result = read(tmp_path, "a.parquet", stored("parquet", frame))
    assert result.values == [{"n": 1.5, "day": date(1970, 1, 1)}, {"n": None, "day": date(1970, 1, 2)}]
    assert result.places == [("a.parquet:2", "not_readable")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1" + b"\0" * 40 + b"PAR1"),
        ("a.parquet", b"PAR1"),
        ("a.parquet", b"q,a\n1,2\n"),
        ("a.parquet", stored("parquet")[:-20]),
        ("a.parquet", stored("parquet")[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"),
        ("a.arrow", stored("arrow")[:-20]),
        ("a.arrow", b"ARROW1\0\0"),
        ("a.arrow", stored("stream")[:300]),
        ("a.arrow", stored("stream")[:-100]),
        ("a.arrow", b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ("a.arrow", b"\xff\xff\xff\xff\x08\0\0\0\xff\xff\xff\x7f\0\0\0\0"),
        ("a.arrow", b"\xff\xff\xff\xff\0\0\0\0"),
    ],
)
def test_a_damaged_table_is_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(DataError, match=r"cannot be read|no rows"):
        read(tmp_path, name, content)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_flipped_bytes_never_raise_anything_else(tmp_path: Path, kind: str) -> None:
    content = stored(kind, FRAME[:40])
    chance = random.Random(7)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged) // 2, len(damaged))] = chance.choice(
                (0, 127, 255, chance.randrange(256))
            )
        try:
            result = read(tmp_path, "a.arrow" if kind == "stream" else f"a.{kind}", bytes(damaged))
        except DataError:
            continue
        assert isinstance(result, Result)


def test_a_cell_beyond_the_limit_is_left_out_and_said(tmp_path: Path) -> None:
    """A file of 10 KB held 300 MB of one letter, and every later step took its seconds of it."""
    frame = polars.DataFrame({"q": ["one", "a" * (MOST_ROW_CHARACTERS + 1), "three"], "a": ["1", "2", "3"]})
    for kind in ("parquet", "arrow", "stream"):
        result = read(tmp_path, "a.arrow" if kind == "stream" else f"a.{kind}", stored(kind, frame))
        assert [value["q"] for value in result.values] == ["one", "three"]
        assert [reason for _, reason in result.places] == ["line_too_long"]


def test_a_date_outside_the_calendar_leaves_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The row was dropped, but polars wrote its panic to the terminal before it could be caught."""
    days = polars.Series("day", [1, 2_000_000_000, None], polars.Int32).cast(polars.Date)
    times = polars.Series("time", [1, 2, 1 << 60], polars.Int64).cast(polars.Datetime("us"))
    result = read(tmp_path, "a.parquet", stored("parquet", polars.DataFrame([days, times])))
    assert result.places == [("a.parquet:2", "not_readable"), ("a.parquet:3", "not_readable")]
    assert result.values[0]["day"] == date(1970, 1, 2)
    assert capfd.readouterr().err == ""
