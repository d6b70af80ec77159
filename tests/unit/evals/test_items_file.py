from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import Stopped
from burnish.core.records import Item
from burnish.evals.arms import ArmName, Models, Progress
from burnish.evals.items_file import CHUNK, Part, answer_parts, lines_before
from burnish.model.decoder import Decoder


@contextmanager
def no_model() -> Iterator[Any]:
    """The parts below answer without one."""
    yield None


MODELS = Models(base=no_model, tuned=no_model)


def parts(rows: int, *, stop_after: int = 10**9, asked: list[int] | None = None) -> list[Part]:
    """Two arms whose answer is the row itself. Stops after so many chunks."""
    calls = 0

    def answer(decoder: Decoder, arm: ArmName, chunk: Sequence[Any], progress: Progress) -> list[Item]:
        nonlocal calls
        calls += 1
        if calls > stop_after:
            raise Stopped("interrupted")
        if asked is not None:
            asked.append(len(chunk))
        return [Item("task", str(row), arm, "?", "x", "a\u2028b", {"correct": 1.0}) for row in chunk]

    return [Part("task", "base", range(rows), answer), Part("task", "tuned", range(rows), answer)]


def run(path: Path, work: list[Part]) -> bytes:
    answer_parts(path, work, MODELS, lambda line: None)
    return path.read_bytes()


def test_an_interrupted_evaluation_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole.jsonl", parts(2 * CHUNK + 3))
    path = tmp_path / "items.jsonl"
    for chunks in (0, 1, 4):
        with pytest.raises(Stopped):
            run(path, parts(2 * CHUNK + 3, stop_after=chunks))
    asked: list[int] = []
    assert run(path, parts(2 * CHUNK + 3, asked=asked)) == whole
    assert asked == [3]  # 0 + 1 + 4 chunks were done, one of 3 rows was left


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    run(tmp_path / "items.jsonl", parts(CHUNK))
    asked: list[int] = []
    run(tmp_path / "items.jsonl", parts(CHUNK, asked=asked))
    assert asked == []


@pytest.mark.parametrize("cut", [1, 40, 5000])
def test_a_file_torn_anywhere_is_mended(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "items.jsonl"
    whole = run(path, parts(2 * CHUNK))
    path.write_bytes(whole[:-cut])
    assert run(path, parts(2 * CHUNK)) == whole


def test_a_line_begun_behind_whole_chunks_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    whole = run(path, parts(CHUNK))
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:CHUNK]) + b'{"suite": "ta')
    assert run(path, parts(CHUNK)) == whole


def test_a_damaged_line_is_answered_again(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    whole = run(path, parts(2 * CHUNK))
    lines = whole.split(b"\n")
    lines[CHUNK + 1] = lines[CHUNK + 1][:20]
    path.write_bytes(b"\n".join(lines))
    assert run(path, parts(2 * CHUNK)) == whole


def test_models_are_opened_one_after_the_other_and_base_is_let_go_of_for_others(tmp_path: Path) -> None:
    told: list[str] = []

    @contextmanager
    def opened(name: str) -> Iterator[Any]:
        told.append(f"open {name}")
        yield None
        told.append(f"close {name}")

    def answer(decoder: Decoder, arm: ArmName, chunk: Sequence[Any], progress: Progress) -> list[Item]:
        return [Item("task", str(row), arm, "?", "x", "a", {"correct": 1.0}) for row in chunk]

    models = Models(
        base=lambda: opened("base"),
        tuned=lambda: opened("tuned"),
        others={name: lambda name=name: opened(name) for name in ("one", "two")},  # type: ignore[misc]
        release=lambda: told.append("release"),
    )
    arms = ("base", "prompted", "8 examples", "one", "two", "tuned")
    answer_parts(tmp_path / "items.jsonl", [Part("task", arm, range(3), answer) for arm in arms], models, print)
    assert told == ["open base", "close base", "release", "open one", "close one", "release", "open two", "close two",
                    "open tuned", "close tuned"]  # fmt: skip


def test_the_lines_before_an_arm_are_kept_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    whole = run(path, parts(3))
    assert lines_before(path, "tuned") == b"".join(whole.splitlines(keepends=True)[:3])
    assert lines_before(path, "base") == b""
    assert lines_before(tmp_path / "none.jsonl", "tuned") == b""
