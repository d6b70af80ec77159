import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burnish.core.files import read_json, write_jsonl
from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Row, Text
from burnish.core.run_folder import RunFolder
from burnish.data.croissant import COLUMNS, CONTEXT, write_croissant
from tests.unit.data.test_card import card

ASKED = (Message("user", "Which one,\u2028and why?"),)
ROWS: dict[str, Row] = {
    "chat": Chat("aa1", (*ASKED, Message("assistant", "this")), "f:1", "g"),
    "text": Text("aa1", "some text", "f:1", "g"),
    "pair": Pair("aa1", ASKED, "this", "that", "f:1", "g"),
    "rated": Rated("aa1", ASKED, "this", 0.5, "f:1", "g"),
    "prompt": Prompt("aa1", ASKED, {"answer": "7"}, "f:1", "g"),
}


def described(folder: Path, rows: list[Row], **more: Any) -> tuple[RunFolder, dict[str, Any]]:
    run = RunFolder(folder / "tickets")
    for path in (run.train, run.dev, run.test):
        write_jsonl(path, (row.to_json() for row in rows))
    return run, read_json(write_croissant(run, card(**more)))


def fields(value: Any) -> Iterator[dict[str, Any]]:
    """All fields and fields of fields of a description."""
    for field in value.get("field", value.get("subField", ())):
        yield field
        yield from fields(field)


@pytest.mark.parametrize("kind", ROWS)
def test_the_structure_is_what_the_specification_asks_for(tmp_path: Path, kind: str) -> None:
    run, value = described(tmp_path, [ROWS[kind]])
    assert value["@type"] == "sc:Dataset"
    assert value["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert value["name"] == "tickets"
    assert value["license"] == "CC-BY-4.0"
    files = {file["@id"]: file for file in value["distribution"]}
    assert list(files) == ["train.jsonl", "dev.jsonl", "test.jsonl"]
    content = run.train.read_bytes()
    assert files["train.jsonl"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert files["train.jsonl"]["contentSize"] == f"{len(content)} B"
    ids = [*files]
    for record_set in value["recordSet"]:
        ids.append(record_set["@id"])
        for field in fields(record_set):
            ids.append(field["@id"])
            assert ("source" in field) != ("subField" in field)
            if "source" in field:
                assert field["source"]["fileObject"]["@id"] in files
                assert field["source"]["extract"]["column"] in ROWS[kind].to_json()
        names = [field["name"] for field in record_set["field"]]
        assert names == ["id", "source", "group", *(name for name, _, _ in COLUMNS[kind])]
    assert len(set(ids)) == len(ids)


def test_every_term_of_the_vocabulary_has_its_context(tmp_path: Path) -> None:
    _, value = described(tmp_path, [ROWS["chat"]])
    known = {*CONTEXT, "name", "description", "version", "distribution", "license", "contentUrl", "contentSize",
             "encodingFormat", "sha256", "inLanguage", "rai:dataLimitations"}  # fmt: skip

    def keys(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part
            for inner in part.values():
                yield from keys(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from keys(inner)

    assert {key for key in keys({k: v for k, v in value.items() if k != "@context"}) if key[0] != "@"} <= known


def test_of_several_kinds_of_rows_only_what_all_have_is_described(tmp_path: Path) -> None:
    _, value = described(tmp_path, [ROWS["chat"]], kinds={"chat": 1, "text": 2})
    assert [field["name"] for field in value["recordSet"][0]["field"]] == ["id", "source", "group"]


def test_the_version_follows_the_content_and_nothing_else(tmp_path: Path) -> None:
    one, same, other = (
        described(tmp_path / name, [row])[1]
        for name, row in (("a", ROWS["chat"]), ("b", ROWS["chat"]), ("c", ROWS["text"]))
    )
    assert json.dumps(one) == json.dumps(same)
    assert one["version"] != other["version"]


def test_languages_and_the_folders_of_files_are_told_as_little_as_needed(tmp_path: Path) -> None:
    _, value = described(tmp_path, [ROWS["chat"]], licence=None, languages={"prompt": {"en": 97, "xx": 3}})
    assert value["inLanguage"] == ["en"]
    assert "license" not in value
    assert "/" not in value["description"]


@pytest.mark.parametrize("kind", ROWS)
def test_the_reference_implementation_accepts_it_and_reads_the_rows(tmp_path: Path, kind: str) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    run, _ = described(tmp_path, [ROWS[kind], ROWS[kind]])
    dataset = mlcroissant.Dataset(str(run.data / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    records = list(dataset.records("train"))
    assert len(records) == 2
    assert records[0]["train/id"] == b"aa1"
    if kind == "chat":
        assert [turn["train/messages/content"] for turn in records[0]["train/messages"]] == [
            ASKED[0].content.encode(), b"this",
        ]  # fmt: skip
