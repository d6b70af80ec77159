"""Tables that lie: CSV whose quotation marks or columns are wrong, Parquet and Arrow whose bytes are."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import polars

from tests.bad_inputs.case import GOOD_ROWS, Case, Kept, Made, Make, Refused, file_of, places, row

HEAD = "text,label"
CELLS = [f"Ticket {number},{'bug' if number % 2 else 'wish'}" for number in range(GOOD_ROWS)]
Damage = Callable[[bytes, Random], bytes]


def csv_file(text: str, expected: Kept | Refused, name: str = "rows.csv") -> Make:
    return file_of(text.encode(), expected, name)


def ragged(folder: Path, rng: Random) -> Made:
    """Lines with too many fields, too few, and a stray mark among the good."""
    lines = [(cell, "") for cell in CELLS]
    for odd in ("only text", "a,b,c", "a,b,", '"a"b,bug', ",,,,,,,,"):
        lines.insert(rng.randint(1, len(lines)), (odd, "not_csv"))
    (folder / "rows.csv").write_text("\n".join([HEAD, *(content for content, _ in lines)]))
    dropped = {reason: [place + 1 for place in found] for reason, found in places(one for _, one in lines).items()}
    return Made("rows.csv", Kept(len(lines), dropped))


def frame() -> polars.DataFrame:
    return polars.DataFrame([row(number) for number in range(GOOD_ROWS)])


def parquet(table: polars.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content)
    return content.getvalue()


def arrow(table: polars.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_ipc(content)
    return content.getvalue()


def stream(table: polars.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_ipc_stream(content)
    return content.getvalue()


def table_file(content: Callable[[], bytes], expected: Kept | Refused, name: str) -> Make:
    """A table made when it is asked for: polars must not have been used before a trial is forked."""

    def make(folder: Path, rng: Random) -> Made:
        (folder / name).write_bytes(content())
        return Made(name, expected)

    return make


def damaged(content: Callable[[polars.DataFrame], bytes], name: str, damage: Damage, *words: str) -> Make:
    """A table with wrong bytes, which has to be refused."""

    def make(folder: Path, rng: Random) -> Made:
        (folder / name).write_bytes(damage(content(frame()), rng))
        return Made(name, Refused(["cannot be read", *words]))

    return make


def cut(content: bytes, rng: Random) -> bytes:
    return content[: rng.randint(16, len(content) - 1)]


def long_footer(content: bytes, rng: Random) -> bytes:
    return content[:-8] + struct.pack("<I", rng.choice([1 << 31, 0xFFFFFFFF, len(content), 0])) + b"PAR1"


def noisy_footer(content: bytes, rng: Random) -> bytes:
    (length,) = struct.unpack("<I", content[-8:-4])
    return content[: -8 - length] + rng.randbytes(length) + content[-8:]


def noisy_pages(content: bytes, rng: Random) -> bytes:
    (length,) = struct.unpack("<I", content[-8:-4])
    return b"PAR1" + rng.randbytes(len(content) - 12 - length) + content[-8 - length :]


def lying_offsets(content: bytes, rng: Random) -> bytes:
    """The places of the texts in the column of prompts, as 32-bit numbers, lead far outside."""
    return _with_offsets(content, lambda at: 0x7FFFFFF0 + at)


def backward_offsets(content: bytes, rng: Random) -> bytes:
    return _with_offsets(content, lambda at: 1000 - at)


def _with_offsets(content: bytes, lie: Callable[[int], int]) -> bytes:
    ends = [0]
    for number in range(GOOD_ROWS):
        ends.append(ends[-1] + len(row(number)["prompt"]))
    for form in ("<i", "<q"):
        size = struct.calcsize(form)
        truth = b"".join(struct.pack(form, end) for end in ends)
        if (start := content.find(truth)) >= 0:
            lies = b"".join(struct.pack(form, lie(at)) for at in range(len(ends)))
            return content[:start] + lies[: size * len(ends)] + content[start + len(truth) :]
    raise AssertionError("the offsets are not in the file")


def plain_strings(table: polars.DataFrame) -> bytes:
    """Arrow with offsets, as pyarrow and `datasets` write it, rather than the views of polars."""
    content = io.BytesIO()
    table.write_ipc(content, compat_level=polars.CompatLevel.oldest(), compression="uncompressed")
    return content.getvalue()


def plain_stream(table: polars.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_ipc_stream(content, compat_level=polars.CompatLevel.oldest(), compression="uncompressed")
    return content.getvalue()


def long_message(content: bytes, rng: Random) -> bytes:
    """The first message of a stream says that it is longer than the file."""
    return content[:4] + struct.pack("<i", rng.choice([0x7FFFFFFF, -5, 1 << 22])) + content[8:]


def noisy(content: bytes, rng: Random) -> bytes:
    """The schema and the lengths are noise."""
    return content[:12] + rng.randbytes(200) + content[212:]


def odd_values(folder: Path, rng: Random) -> Made:
    """Nested nulls, bytes, dates, exact decimals and numbers that are none beside the two columns that are read."""
    table = frame().with_columns(
        polars.Series("nested", [[{"a": None}, None], None] * (GOOD_ROWS // 2)),
        polars.Series("bytes", [b"\xff\x00"] * GOOD_ROWS),
        polars.Series("day", [date(9999, 12, 31)] * GOOD_ROWS),
        polars.Series("exact", [Decimal("1.10")] * GOOD_ROWS),
        polars.Series("none", [float("nan")] * GOOD_ROWS),
        polars.Series("nothing", [None] * GOOD_ROWS),
        polars.when(polars.int_range(GOOD_ROWS) == 7).then(None).otherwise("completion").alias("completion"),
    )
    table = table.with_columns(
        completion=polars.when(polars.col("completion").is_null()).then(None).otherwise(frame()["completion"])
    )
    (folder / "rows.parquet").write_bytes(parquet(table))
    return Made("rows.parquet", Kept(GOOD_ROWS, {"missing_field": [8]}))


def far_dates(folder: Path, rng: Random) -> Made:
    """Days that Python's calendar does not know."""
    days = polars.Series("day", [2_000_000_000 if number == 3 else number for number in range(GOOD_ROWS)])
    (folder / "rows.parquet").write_bytes(parquet(frame().with_columns(days.cast(polars.Int32).cast(polars.Date))))
    return Made("rows.parquet", Kept(GOOD_ROWS, {"not_readable": [4]}))


def grown(folder: Path, rng: Random) -> Made:
    """100 MB of one letter in one cell of a file of a few KB."""
    long = polars.DataFrame({"prompt": ["a" * (100 << 20)], "completion": ["wish"]})
    polars.concat([frame(), long]).write_parquet(folder / "rows.parquet", compression="zstd", statistics=False)
    return Made("rows.parquet", Kept(GOOD_ROWS + 1, {"line_too_long": [GOOD_ROWS + 1]}))


CASES = (
    Case(
        "CSV: a quotation mark that is never closed",
        csv_file("\n".join([HEAD, *CELLS[:5], '"Ticket,bug', *CELLS[5:]]), Refused(["never closed", "rows.csv:7"])),
    ),
    Case(
        "CSV: 20 MB behind a quotation mark",
        csv_file("\n".join([HEAD, *CELLS, '"', *["x" * 1000] * 20_000]), Refused(["never closed", "rows.csv:42"])),
    ),
    Case(
        "CSV: nothing but quotation marks",
        csv_file("\n".join([HEAD, *CELLS, '"' * 200_002 + ",bug"]), Kept(GOOD_ROWS + 1, {"too_long": [42]})),
    ),
    Case("CSV: fields missing and too many", ragged),
    Case("CSV: no header", csv_file("\n".join(CELLS), Refused(["not the names", "Ticket 0"]))),
    Case("CSV: nothing but a header", csv_file(HEAD + "\n", Refused(["no rows"]))),
    Case("CSV: a column twice", csv_file("\n".join(["text,label,text", "a,b,c"]), Refused(["twice", "rows.csv:1"]))),
    Case(
        "CSV: Excel's line sep=;",
        csv_file(
            "\n".join(["sep=;", HEAD.replace(",", ";"), *(cell.replace(",", ";") for cell in CELLS)]), Kept(GOOD_ROWS)
        ),
    ),
    Case(
        "CSV: semicolons, line breaks inside quotation marks, a byte order mark",
        csv_file(
            "\ufefftext;label\r\n" + "".join(f'"Ticket\r\n{n}, ""so""";bug\r\n' for n in range(GOOD_ROWS)),
            Kept(GOOD_ROWS),
        ),
    ),
    Case(
        "CSV: a cell of a million characters",
        csv_file("\n".join([HEAD, *CELLS, "word " * 200_000 + ",bug"]), Kept(GOOD_ROWS + 1, {"too_long": [42]})),
    ),
    Case(
        "CSV: zero bytes in cells",
        csv_file("\n".join([HEAD, *CELLS, "a\0b,bug"]), Kept(GOOD_ROWS + 1, changed={"control_characters": 1})),
    ),
    Case(
        "CSV: cells that a spreadsheet would run",
        csv_file(
            "\n".join([HEAD, *CELLS, "=cmd|' /C calc'!A0,bug", "@SUM(1),+1", '"=HYPERLINK(""http://x"")",-1']), Kept(43)
        ),
    ),
    Case(
        "CSV: ten thousand columns",
        csv_file(
            "\n".join([HEAD + "".join(f",c{n}" for n in range(10_000)), *(cell + "," * 10_000 for cell in CELLS)]),
            Kept(GOOD_ROWS),
        ),
    ),
    Case(
        "TSV: marks that quote nothing",
        csv_file(
            "\n".join([HEAD.replace(",", "\t"), *(cell.replace(",", "\t") for cell in CELLS), '5" pipe\tbug']),
            Kept(GOOD_ROWS + 1),
            "rows.tsv",
        ),
    ),
    Case("Parquet: the footer's length lies", damaged(parquet, "rows.parquet", long_footer)),
    Case("Parquet: cut", damaged(parquet, "rows.parquet", cut)),
    Case("Parquet: a footer of noise", damaged(parquet, "rows.parquet", noisy_footer)),
    Case("Parquet: pages of noise", damaged(parquet, "rows.parquet", noisy_pages)),
    Case("Parquet: no rows", table_file(lambda: parquet(frame().clear()), Refused(["no rows"]), "rows.parquet")),
    Case(
        "Parquet: JSON by that name", file_of(b'{"prompt": "a"}\n', Refused(["does not begin as one"]), "rows.parquet")
    ),
    Case("Parquet: under the name of JSON", table_file(lambda: parquet(frame()), Kept(GOOD_ROWS), "rows.jsonl")),
    Case(
        "Parquet: inside gzip",
        table_file(lambda: gzip.compress(parquet(frame()), mtime=0), Kept(GOOD_ROWS), "rows.parquet.gz"),
    ),
    Case("Parquet: nested nulls, bytes, decimals", odd_values),
    Case("Parquet: days outside the calendar", far_dates),
    Case("Parquet: a cell of 100 MB in a small file", grown),
    Case("Arrow: cut", damaged(arrow, "rows.arrow", cut)),
    Case("Arrow: offsets that lead outside", damaged(plain_strings, "rows.arrow", lying_offsets)),
    Case("Arrow: offsets that go backwards", damaged(plain_strings, "rows.arrow", backward_offsets)),
    Case("Arrow stream: offsets that lead outside", damaged(plain_stream, "rows.arrow", lying_offsets)),
    Case("Arrow stream: a message longer than the file", damaged(stream, "rows.arrow", long_message)),
    Case("Arrow stream: a schema of noise", damaged(stream, "rows.arrow", noisy)),
)
