"""`burnish prepare` with rows made by a server on loopback, as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.run_cli import Result, burnish
from tests.serving import Said, Seen, chat_answer, http_server

KEY = "Canary12345"
RECIPE = """
model: {model}
data:
  train: rows.jsonl
  duplicates: {{threshold: 0.95, few_words: 0}}
  grow: {{model: "{address}", served: tall, key_env: GROW_TEST_KEY, paraphrase: 1}}
"""
TOWNS = ("Bremen", "Krakow", "Lyon", "Porto")
THINGS = ("lamp", "kettle", "wardrobe", "bicycle", "carpet", "mirror", "guitar", "teapot", "blanket", "hammer")


def reword(seen: Seen) -> Said:
    if seen.headers.get("Authorization") != f"Bearer {KEY}":
        return Said({"error": "this key is wrong"}, 401)
    words = seen.body["messages"][-1]["content"].strip('"?').split()  # Message: "When does the lamp …
    return chat_answer(f"On which day will {words[-1]} see the {words[4]} come?")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [(f"When does the {thing} reach {town}?", town) for thing in THINGS for town in TOWNS]
    lines = (json.dumps({"prompt": prompt, "completion": town}) for prompt, town in rows)
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def prepare(folder: Path, model: Path, address: str, *more: str) -> Result:
    (folder / "recipe.yaml").write_text(RECIPE.format(model=model, address=address))
    return burnish("prepare", folder / "recipe.yaml", "--out", folder / "runs", "--name", "r", *more)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "runs" / "r" / "data").iterdir())}


def test_rows_are_made_once_and_the_key_stands_in_no_file(
    folder: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROW_TEST_KEY", KEY)
    with http_server(reword) as (address, seen):
        result = prepare(folder, tiny_folder, address)
    assert result.code == 0, result.err
    made = contents(folder)["made.jsonl"].splitlines()
    assert len(seen) >= len(made) > 0
    assert f"40 rows in + {len(seen)} more by a model, used or not = " in result.out
    first = contents(folder)
    again = prepare(folder, tiny_folder, address, "--fresh")  # the server is gone
    assert again.code == 0, again.err
    assert contents(folder) == first
    assert not [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert KEY not in result.out + result.err + again.out + again.err


def test_what_a_server_answered_before_it_failed_is_kept(
    folder: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROW_TEST_KEY", KEY)
    budget = iter(range(5))
    with http_server(lambda seen: reword(seen) if next(budget, None) is not None else Said({}, 401)) as (address, _):
        # One at a time: of several in flight, those behind the one that is refused are asked again.
        result = prepare(folder, tiny_folder, address, "--set", "data.grow.concurrent=1")
    assert result.code == 3
    assert "refuses" in result.err
    assert len((folder / "runs" / "r" / "replies.jsonl").read_text().splitlines()) == 5


def test_a_key_that_is_not_set_is_named(folder: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROW_TEST_KEY", raising=False)
    result = prepare(folder, tiny_folder, "http://127.0.0.1:1/v1")
    assert result.code == 3
    assert "GROW_TEST_KEY is not set" in result.err
    assert not (folder / "runs" / "r").exists()
