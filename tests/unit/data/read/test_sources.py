"""From what a recipe names to sources: files, folders, patterns; the parts of a data set are never mixed."""

import os
from pathlib import Path

import polars
import pytest

from burnish.core.errors import DataError
from burnish.data.read.choice import choose, matches
from burnish.data.read.sources import sources
from tests.unit.data.read.reading import open_source, result_of, write


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "train.csv").touch()
    with pytest.raises(DataError, match=r"no such file[\s\S]*train\.csv"):
        sources("trian.csv", tmp_path)
    with pytest.raises(DataError, match="does not exist either"):
        sources("nowhere/train.csv", tmp_path)


@pytest.mark.parametrize(
    "where", ["", "a\0b", "~nobody-here/x", "s3://bucket/a.jsonl", "ftp://host/a", "file:///etc/passwd"]
)
def test_a_name_that_is_nothing_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(DataError):
        sources(where, tmp_path)


def test_a_device_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        sources("/dev/zero", tmp_path)


def test_shards_are_read_in_order_of_name_and_texts_beside_them_are_said(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        path = tmp_path / "set" / "data" / f"train-{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        polars.DataFrame({"n": [number]}).write_parquet(path)
    for name in ("README.md", "dataset_info.json", ".hidden.jsonl", ".git/x.csv"):
        write(tmp_path / "set", name, "{}")
    found = sources("set", tmp_path)
    assert [source.name for source in found] == [f"set/data/train-{number}.parquet" for number in (0, 1, 2)]
    results = [result_of(source) for source in found]
    assert [result.values[0]["n"] for result in results] == [0, 1, 2]
    assert [result.facts.notes for result in results] == [("not read: README.md",), (), ()]


def test_a_folder_of_texts_gives_a_row_a_file(tmp_path: Path) -> None:
    write(tmp_path, "docs/README.md", "# One\n\ntwo")
    write(tmp_path, "docs/deep/b.txt", "café".encode("windows-1252"))
    write(tmp_path, "docs/deep/c.md", b"\xc3\xa9t\xc3\xa9 \xff")
    write(tmp_path, "docs/d.txt.gz", b"\x1f\x8b broken")
    write(tmp_path, "docs/empty.md", "")
    result = result_of(open_source("docs/", tmp_path))
    assert [(raw.source, raw.value["text"]) for raw in result.raws] == [
        ("docs/README.md:1", "# One\n\ntwo"),
        ("docs/deep/b.txt:1", "café"),
        ("docs/empty.md:1", ""),
    ]
    assert result.places == [("docs/d.txt.gz:1", "not_readable"), ("docs/deep/c.md:1", "not_utf8")]
    assert result.facts.kind == "folder of texts"
    assert result.facts.notes == ("docs/deep/b.txt: not UTF-8, read as windows-1252; line 1: café",)
    before = result.facts.sha256
    write(tmp_path, "docs/empty.md", "no more")
    assert result_of(open_source("docs", tmp_path)).facts.sha256 != before


def test_a_pattern_stands_for_files_of_one_kind(tmp_path: Path) -> None:
    for name in ("a1.jsonl", "a2.jsonl.gz", "b.jsonl", "deep/a3.jsonl"):
        write(tmp_path / "set", name, '{"q": 1}\n')
    assert [source.name for source in sources("set/a*", tmp_path)] == ["set/a1.jsonl", "set/a2.jsonl.gz"]
    assert [source.name for source in sources("set/**/a?.jsonl", tmp_path)] == ["set/a1.jsonl", "set/deep/a3.jsonl"]
    with pytest.raises(DataError, match="No file here"):
        sources("set/x*", tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train.jsonl", "test.jsonl"], "several parts"),
        (["data/train-00000-of-00002.parquet", "data/validation-00000-of-00001.parquet"], "several parts"),
        (["training/0.csv", "eval/0.csv"], "several parts"),
        (["test.txt", "valid.txt", "about.md"], "several parts"),
        (["a.jsonl", "b.csv"], "several kinds"),
        (["README.md", "LICENSE", "table.xlsx"], "No file here"),
        ([], "no files"),
    ],
)
def test_files_that_must_not_be_mixed_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose(names, "folder")


def test_names_that_only_look_like_parts_are_one_data_set() -> None:
    names = ("contest.jsonl", "latest.jsonl", "trainer.jsonl")
    assert choose(names, "folder").names == names
    assert choose(["how-to-train.md", "how-to-test.md"], "folder").texts
    assert choose(["dev.csv", "valid.csv"], "folder").names == ("dev.csv", "valid.csv")


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a/b.csv", "*.csv", False),
        ("a/b.csv", "**/*.csv", True),
        ("b.csv", "**/*.csv", True),
        ("a/b.csv", "a/**", True),
        ("a/bb.csv", "a/?.csv", False),
        ("a+[b].csv", "a+[b].csv", True),
    ],
)
def test_patterns(name: str, pattern: str, expected: bool) -> None:
    assert matches(name, pattern) is expected


def test_a_file_whose_name_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    """Such a name cannot stand in a card or in a recipe: it ended in an error that nobody had foreseen."""
    (tmp_path / os.fsdecode(b"caf\xe9.jsonl")).write_text("{}")
    with pytest.raises(DataError, match=r"no text[\s\S]*caf\\udce9\.jsonl"):
        sources(".", tmp_path)
