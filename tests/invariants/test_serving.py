"""What a server must never mix up."""

from __future__ import annotations

from pathlib import Path

from tests.load.__main__ import isolated


def test_every_answer_is_of_the_adapter_that_its_name_stood_for(tmp_path: Path) -> None:
    report = isolated(tmp_path, requests=160, reloads=14, streams=16, seed=1)
    assert report.wrong == []
    assert report.found["right"] > 100
    assert report.found["404 where there is none"] > 3
    assert report.found["reloads"] >= 10
