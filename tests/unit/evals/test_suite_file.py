from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from burnish.core.errors import DataError, MissingTool
from burnish.evals.retention_settings import RetentionSettings
from burnish.evals.suite_file import check_suites, read_suite
from burnish.evals.suites import Instruction, Passage, Question


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_the_keys_tell_the_sort(tmp_path: Path) -> None:
    question = '{"prompt": "Water is", "choices": ["wet", "dry"], "answer": 0}'
    assert read_suite(written(tmp_path, question)) == [Question("line-000001", "Water is", ("wet", "dry"), 0)]
    checks = '{"id": "x", "prompt": "Say hi.", "checks": [{"check": "contains", "text": "hi"}]}'
    assert read_suite(written(tmp_path, "", checks)) == [
        Instruction("x", "Say hi.", ({"check": "contains", "text": "hi"},))
    ]
    assert read_suite(written(tmp_path, '{"text": "A passage."}')) == [Passage("line-000001", "A passage.")]


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '["a list"]',
        "[" * 100_000,
        '{"prompt": "Nothing to check."}',
        '{"prompt": "a", "choices": ["one"], "answer": 0}',
        '{"prompt": "a", "choices": ["one", "one"], "answer": 0}',
        '{"prompt": "a", "choices": ["one", "two"], "answer": 2}',
        '{"prompt": "a", "choices": ["one", "two"], "answer": true}',
        '{"prompt": "a", "choices": ["one", "two"]}',
        '{"prompt": "a", "checks": []}',
        '{"prompt": "a", "checks": [{"check": "rhymes"}]}',
        '{"text": " "}',
        '{"text": "a", "prompt": "b"}',
    ],
)
def test_what_is_no_item_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError):
        read_suite(written(tmp_path, line))


def test_errors_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one sort(.|\n)*mine.jsonl:2"):
        read_suite(written(tmp_path, '{"text": "a"}', '{"prompt": "a", "choices": ["b", "c"], "answer": 1}'))
    with pytest.raises(DataError, match=r"twice(.|\n)*mine.jsonl:2"):
        read_suite(written(tmp_path, '{"text": "a", "id": "1"}', '{"text": "b", "id": 1}'))
    with pytest.raises(DataError, match="no item"):
        read_suite(written(tmp_path, ""))
    with pytest.raises(DataError, match="cannot be read"):
        read_suite(tmp_path / "absent.jsonl")


def test_files_are_checked_before_training(tmp_path: Path) -> None:
    check_suites(RetentionSettings.model_validate({"extra": [str(written(tmp_path, '{"text": "a"}'))]}))
    with pytest.raises(DataError):
        check_suites(RetentionSettings.model_validate({"extra": [str(tmp_path / "absent.jsonl")]}))


@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is not None, reason="lm-eval is installed")
def test_lm_eval_is_asked_for_by_name() -> None:
    with pytest.raises(MissingTool, match=r"burnish\[eval\]"):
        check_suites(RetentionSettings.model_validate({"lm_eval": ["arc_easy"]}))
