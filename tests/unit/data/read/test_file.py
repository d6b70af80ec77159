"""One file of any kind gives the same rows, in bounded memory, or one clear error."""

import gzip
import hashlib
import json
import random
from pathlib import Path

import polars
import pytest

from burnish.core.errors import DataError
from burnish.data.read.raw import Raw
from burnish.data.read.stored import zstd
from tests.unit.data.read.reading import open_source, read, result_of, write

ROWS = [{"q": "eins", "a": "1"}, {"q": 'zwei, "drei"', "a": "2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.jsonl", LINES.replace("\n", "\r\n")),
        ("a.jsonl", LINES.replace("\n", "\r")),
        ("a.jsonl", "\n" + LINES.replace("\n", "\n\n")),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
        ("a.jsonl", LINES.replace("\n", "\n\ufeff")),
        ("a.jsonl", LINES.encode("utf-16")),
        ("a.jsonl", LINES.encode("utf-16-be")),
        ("a.jsonl", LINES.encode("utf-16-le")),
        ("a.jsonl", LINES.encode("utf-32")),
        ("a.jsonl", LINES.encode("utf-32-le")),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0) + gzip.compress(b"", mtime=0)),
        ("a.jsonl.zst", zstd.compress(LINES.encode())),
        ("a.jsonl.zst", b"".join(zstd.compress(line.encode() + b"\n") for line in LINES.splitlines())),
        ("named_wrongly.jsonl", gzip.compress(LINES.encode("utf-16"), mtime=0)),
        ("a.json", LINES),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps(ROWS) + "\n"),
        ("a.jsonl", json.dumps(ROWS, indent=2)),
        ("a.json", json.dumps({"data": ROWS})),
        ("a.json", json.dumps({"version": [1, {}], "data": ROWS, "more": 1}, indent=2)),
        ("a.json.zst", zstd.compress(json.dumps(ROWS).encode())),
        ("a.txt", LINES),
        ("a.dat", LINES),
        ("no_extension", json.dumps(ROWS, indent=1)),
        ("a.csv", 'q,a\neins,1\n"zwei, ""drei""",2\n'),
        ("a.csv", 'q,a\neins,1\r"zwei, ""drei""",2\r\n'),
        ("a.csv", '\n\nq,a\neins,1\n\n"zwei, ""drei""",2'),
        ("a.csv", 'q;a\r\neins;1\r\n"zwei, ""drei""";2\r\n'),
        ("a.tsv", 'q\ta\neins\t1\nzwei, "drei"\t2\n'),
        ("a.csv", 'q,a\r\neins,1\r\n"zwei, ""drei""",2\r\n'.encode("utf-16")),
        ("a.dat", 'q,a\neins,1\n"zwei, ""drei""",2\n'),
    ],
)
def test_the_same_rows_come_out_of_every_kind_of_file(tmp_path: Path, name: str, content: str | bytes) -> None:
    result = read(tmp_path, name, content)
    assert result.values == ROWS
    assert not result.dropped


def test_facts_are_those_of_the_stored_bytes(tmp_path: Path) -> None:
    stored = gzip.compress(LINES.encode(), mtime=0)
    facts = read(tmp_path, "a.jsonl.gz", stored).facts
    assert facts.sha256 == hashlib.sha256(stored).hexdigest()
    assert (facts.size_bytes, facts.kind, facts.encoding, facts.notes) == (len(stored), "JSON lines", "utf-8", ())


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", LINES)
    source = open_source("a.jsonl", tmp_path)
    first = next(source.rows())
    assert isinstance(first, Raw)
    with pytest.raises(AssertionError, match="to their end"):
        source.facts()
    assert result_of(source) == result_of(source)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b" \n\n", "empty"),
        ("a.jsonl", b"\xef\xbb\xbf", "empty"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "empty"),
        ("a.json", b"[]", "no rows"),
        ("a.csv", b"q,a\n", "no rows"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)[:-12], "damaged"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0) + b"junk", "damaged"),
        ("a.jsonl.zst", zstd.compress(LINES.encode())[:-3], "damaged"),
        ("a.jsonl.zst", zstd.compress(LINES.encode()) + b"junk", "damaged"),
        ("a.csv", b"PK\x03\x04rest", "save the sheet as CSV"),
        ("a.xz", b"\xfd7zXZ\0rest", "unxz"),
        ("a.words", b"word\n\nother words\n", "rename it"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_says_where_and_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, name, content)


def test_a_window_too_large_to_unpack_is_refused(tmp_path: Path) -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    content = compressor.compress(LINES.encode()) + compressor.flush()
    with pytest.raises(DataError, match="too much memory"):
        read(tmp_path, "a.jsonl.zst", content)


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        '{"q": "half',
        '{"q": NaN}',
        "[1, 2]",
        "null",
        '{"q": "a\\ud800"}',
        "\0" * 50,
        '{"q": 1}{"q": 2}',
        "{" * 99,
    ],
)
def test_a_bad_first_line_does_not_change_how_the_others_are_read(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, "a.jsonl", line + "\n" + LINES).values[-2:] == ROWS


def test_paragraphs_of_text_are_rows(tmp_path: Path) -> None:
    result = read(tmp_path, "a.txt", "one\ntwo\n \n\nthree")
    assert [(raw.source, raw.value["text"]) for raw in result.raws] == [("a.txt:1", "one\ntwo"), ("a.txt:5", "three")]


def test_text_without_a_known_name_is_read_where_text_is_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "a.log", "one\n\ntwo", as_text=True).values == [{"text": "one"}, {"text": "two"}]


def test_compressed_parquet_is_unpacked_beside_the_cache_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    polars.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    assert read(tmp_path, "b.parquet.zst", zstd.compress(content)).values == ROWS
    assert list((tmp_path / "cache").iterdir()) == []


SEEDS = {
    "a.jsonl": [LINES.encode(), LINES.encode("utf-16"), LINES.replace("drei", "für").encode("windows-1252")],
    "a.json": [json.dumps({"v": 1, "data": ROWS}, indent=1).encode(), json.dumps(ROWS).encode("utf-16-le")],
    "a.csv": [("q,a\n" + '"é ""x"" y\nz",1\nplain,2\n' * 5).encode()],
    "a.txt": ["one é\ntwo\n\n".encode() * 5, b"EU B-ORG\nsays O\n\n" * 5],
}
INSERTED = [
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"{",
    b"[",
    b"]",
    b"}",
    b",",
    b"\\",
    b"\xc3",
    b"NaN",
    b"\xef\xbb\xbf",
    b"1e999",
]


@pytest.mark.parametrize("name", SEEDS)
def test_whatever_the_bytes_it_is_rows_or_one_clear_error(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    for _ in range(300):
        content = bytearray(chance.choice(SEEDS[name]))
        for _ in range(chance.choice((1, 1, 2, 20))):
            at = chance.randrange(len(content) + 1)
            content[at : at + chance.choice((0, 1, 5))] = chance.choice(INSERTED)
        try:
            result = read(tmp_path, name, bytes(content))
        except DataError:
            continue
        assert all(one.source.startswith(f"{name}:") for one in (*result.raws, *result.dropped))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
        (gzip.compress(gzip.compress(LINES.encode(), mtime=0), mtime=0), "compressed twice"),
        (gzip.compress(zstd.compress(LINES.encode()), mtime=0), "compressed twice"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_what_stands_in_the_place_of_a_file_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """A pointer of Git LFS was taken for broken rows, gzip inside gzip for an encoding to be asked for."""
    with pytest.raises(DataError, match=words):
        read(tmp_path, name, content)
