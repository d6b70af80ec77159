"""What a run has a record of is held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.core.events import record_event
from burnish.core.files import sha256_of_tree, write_json
from burnish.core.run_folder import RunFolder
from burnish.deploy.manifest import write_manifest
from burnish.pipeline.verifying import verify


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "tickets")
    for path in (run.adapter / "adapter_config.json", run.data / "test.jsonl", run.export / "Modelfile"):
        path.parent.mkdir(parents=True)
        path.write_text("{}\n")
    write_manifest(run.export)
    judged = {"weights": sha256_of_tree(run.adapter), "data": sha256_of_tree(run.data)}
    write_json(run.stages, {"evaluate": {"inputs": judged, "finished": True}})
    record_event(run.events, "evaluate")
    record_event(run.events, "export")
    return run


def bad_parts(folder: Path) -> dict[str, tuple[str, ...]]:
    return {one.part: one.found for one in verify(folder) if one.found}


def test_every_part_of_an_untouched_run_is_as_it_was(run: RunFolder) -> None:
    parts = verify(run.path)
    assert [one.part for one in parts] == [
        "events.jsonl",
        "adapter, as for evaluate",
        "data, as for evaluate",
        "export",
    ]
    assert not any(one.found for one in parts)


def test_what_was_changed_since_the_verdict_is_named(run: RunFolder) -> None:
    (run.adapter / "adapter_config.json").write_text("{ }\n")
    (run.data / "test.jsonl").unlink()
    (run.export / "Modelfile").write_text("FROM evil\n")
    lines = run.events.read_text().replace('"evaluate"', '"prepare"')
    run.events.write_text(lines)
    assert bad_parts(run.path) == {
        "events.jsonl": ("line 2 does not fit the line before it",),
        "adapter, as for evaluate": ("not what was there then",),
        "data, as for evaluate": ("not what was there then",),
        "export": ("changed: Modelfile",),
    }


def test_a_checkpoint_is_held_against_its_own_list(run: RunFolder) -> None:
    (run.checkpoints / "000010").mkdir(parents=True)
    assert bad_parts(run.path) == {"checkpoints/000010": ("changed: manifest.json",)}


def test_an_exported_folder_alone_is_enough(run: RunFolder) -> None:
    assert bad_parts(run.export) == {}
    (run.export / "more").write_text("")
    assert bad_parts(run.export) == {"export": ("added: more",)}


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BurnishError, match="no such folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(BurnishError, match="no manifest"):
        verify(tmp_path)
