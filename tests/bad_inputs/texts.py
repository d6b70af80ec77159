"""Bytes that are not the text they should be: encodings, line ends, compression, other kinds of files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from pathlib import Path
from random import Random

from tests.bad_inputs.case import GOOD_ROWS, NAME, Case, Kept, Made, Refused, among_good, file_of, good_lines, line

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GOOD = b"\n".join(good_lines()) + b"\n"
ALL = Kept(GOOD_ROWS)
MARK = b"\xef\xbb\xbf"
ACCENTED = line({"prompt": "Größe?", "completion": "wish"}).decode("unicode_escape").encode()
LONG_LINE_BYTES = 100 << 20
WINDOW_OF_2_GIB = b"\x28\xb5\x2f\xfd\x00\xa8" + bytes([0x01, 0x00, 0x00]) + b"x"


def long_line(folder: Path, rng: Random) -> Made:
    """100 MB in one line, written in pieces."""
    at = rng.randint(1, GOOD_ROWS)
    with (folder / NAME).open("wb") as file:
        for number, good in enumerate(good_lines(), start=1):
            if number == at:
                file.write(b'{"prompt": "')
                for _ in range(LONG_LINE_BYTES >> 20):
                    file.write(b"a b " * (1 << 18))
                file.write(b'", "completion": "bug"}\n')
            file.write(good + b"\n")
    return Made(NAME, Kept(GOOD_ROWS + 1, {"line_too_long": [at]}))


def bomb() -> bytes:
    """300 MB of zeros in 300 KB."""
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=9, mtime=0) as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    return content.getvalue()


def grown(folder: Path, rng: Random) -> Made:
    (folder / "rows.jsonl.gz").write_bytes(bomb())
    return Made("rows.jsonl.gz", Refused(["grows to more than 1000 times"]))


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return content.getvalue()


def utf_16_cut(folder: Path, rng: Random) -> Made:
    (folder / NAME).write_bytes(GOOD.decode().strip().encode("utf-16")[:-1])
    return Made(NAME, Kept(GOOD_ROWS, {"not_utf8": [GOOD_ROWS]}))


def gzip_cut(folder: Path, rng: Random) -> Made:
    packed = gzip.compress(GOOD, mtime=0)
    (folder / "rows.jsonl.gz").write_bytes(packed[: rng.randint(20, len(packed) - 1)])
    return Made("rows.jsonl.gz", Refused(["damaged"]))


def zstd_cut(folder: Path, rng: Random) -> Made:
    packed = zstd.compress(GOOD)
    (folder / "rows.jsonl.zst").write_bytes(packed[: rng.randint(10, len(packed) - 1)])
    return Made("rows.jsonl.zst", Refused(["damaged"]))


GERMAN = "\n".join(
    ["text;label", *(f"Wie groß ist Paket {n}, Herr Müller?;{'bug' if n % 2 else 'wish'}" for n in range(GOOD_ROWS))]
)
RUSSIAN = "\n".join(["text,label", *(f"Где моя посылка номер {n}?,bug" for n in range(GOOD_ROWS))])
PROGRESS = b"Downloading:  45%|####      | 4/9 [00:01<00:02]"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 12345\n"

CASES = (
    Case("no bytes at all", file_of(b"", Refused(["empty"]))),
    Case("nothing but blank lines", file_of(b"\n \n\t\n\r\n" * 100, Refused(["empty"]))),
    Case("byte order marks, also inside, where files were joined", file_of(MARK + GOOD + MARK + ACCENTED, Kept(41))),
    Case("UTF-16 with its mark", file_of(GOOD.decode().encode("utf-16"), ALL)),
    Case("UTF-16 without a mark", file_of(GOOD.decode().encode("utf-16-be"), Kept(GOOD_ROWS, told=["utf-16-be"]))),
    Case("UTF-16 cut in the middle of a character", utf_16_cut),
    Case(
        "Windows-1252 with German letters",
        file_of(GERMAN.encode("cp1252"), Kept(GOOD_ROWS, told=["windows-1252"]), "rows.csv"),
    ),
    Case(
        "an encoding that cannot be told",
        file_of(RUSSIAN.encode("cp1251"), Refused(["windows-1251", "not certain"]), "rows.csv"),
    ),
    Case("two encodings in one file", among_good([(ACCENTED, ""), (b'{"prompt": "Gr\xf6\xdfe"}', "not_utf8")])),
    Case(
        "overlong UTF-8, halves of characters, bytes that never stand in UTF-8",
        among_good(
            [
                (ACCENTED, ""),
                (b'{"prompt": "\xc0\xaf", "completion": "bug"}', "not_utf8"),
                (b'{"prompt": "\xed\xa0\x80", "completion": "bug"}', "not_utf8"),
                (b'{"prompt": "\xf8\x88\x80\x80\x80", "completion": "bug"}', "not_utf8"),
                (b'{"prompt": "\xff\xfe", "completion": "bug"}', "not_utf8"),
            ]
        ),
    ),
    Case(
        "zero bytes, as a power cut leaves them",
        among_good(
            [
                (bytes(8192), "not_json"),
                (b'{"prompt": "a\0b", "completion": "bug"}', "not_json"),
            ]
        ),
    ),
    Case("line ends of an old Macintosh", file_of(GOOD.replace(b"\n", b"\r"), ALL)),
    Case(
        "line ends of three systems, and separators inside strings",
        file_of(
            b"\r\n".join(good_lines()[:20])
            + b"\r"
            + b"\n\n".join(good_lines()[20:])
            + b"\n"
            + '{"prompt": "a\u2028b\x85c", "completion": "bug"}'.encode(),
            Kept(41, changed={"line_ends": 1, "encoding_damage": 1}),
        ),
    ),
    Case("a line of 100 MB", long_line),
    Case("lines of a progress bar", among_good([(PROGRESS, "not_json"), (b"Done.", "not_json")])),
    Case("gzip that breaks off", gzip_cut),
    Case("zstd that breaks off", zstd_cut),
    Case("gzip in two parts", file_of(gzip.compress(GOOD[:500], mtime=0) + gzip.compress(GOOD[500:], mtime=0), ALL)),
    Case(
        "gzip with other bytes behind it",
        file_of(gzip.compress(GOOD, mtime=0) + b"<html>", Refused(["damaged"]), "rows.jsonl.gz"),
    ),
    Case("gzip under a plain name", file_of(gzip.compress(GOOD, mtime=0), ALL)),
    Case(
        "gzip inside gzip",
        file_of(gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), Refused(["twice"]), "rows.jsonl.gz"),
    ),
    Case("gzip that grows a thousand times", grown),
    Case("zstd that asks for 2 GiB of history", file_of(WINDOW_OF_2_GIB, Refused(["damaged"]), "rows.jsonl.zst")),
    Case("an Excel file named .csv", file_of(zipped(), Refused(["Excel", "CSV"]), "rows.csv")),
    Case("xz and bzip2 under other names", file_of(lzma.compress(GOOD), Refused(["unxz"]), "rows.jsonl.gz")),
    Case("bzip2 as it is", file_of(bz2.compress(GOOD), Refused(["bunzip2"]), "rows.jsonl.bz2")),
    Case(
        "a web page in place of the file",
        file_of(b"<!DOCTYPE html>\n<html><body>404</body></html>\n", Refused(["not_json"])),
    ),
    Case("a pointer of Git LFS in place of the file", file_of(POINTER, Refused(["git lfs pull"]), "rows.parquet")),
)
