from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.core.hardware import memory_bytes
from burnish.server.tuning.desk import desk_at
from burnish.server.tuning.files import TUNE
from burnish.server.tuning.room import PROGRAM, Room, lack, never, room_needed
from tests.unit.server.tuning.desks import job_at_desk


def test_the_desk_is_its_owners_and_one_servers(tmp_path: Path) -> None:
    with job_at_desk(tmp_path):
        folders = [tmp_path / "runs" / ".openai" / part for part in ("", "files", "jobs")]
        assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * 3
        with pytest.raises(BurnishError, match="Another server"), desk_at(tmp_path / "runs", {}, lambda *_: None):
            pass
    with desk_at(tmp_path / "runs", {}, lambda *_: None) as desk:
        assert len(desk.store.rows("SELECT id FROM jobs")) == 1, "what was noted is there again"


def test_contents_that_a_crash_left_behind_go_and_those_that_a_row_names_stay(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        kept = at.job.training_file
        (at.desk.files.folder / ".upload-abc").write_bytes(b"half")
        (at.desk.files.folder / "file-unknown").write_bytes(b"lost")
    with desk_at(tmp_path / "runs", {}, lambda *_: None) as desk:
        assert [path.name for path in desk.files.folder.iterdir()] == [kept]


def test_a_file_is_kept_as_long_as_it_was_asked_for(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        for name, lifetime in (("past", 3600), ("soon", 3600)):
            (at.desk.files.folder / ".new").write_bytes(b"{}")
            file = at.desk.files.add(at.desk.files.folder / ".new", name, TUNE, lifetime)
            assert file["expires_at"] - file["created_at"] == 3600
        at.desk.store.change("UPDATE files SET expires_at = 5 WHERE filename = 'past'")
        at.desk.files.expire()
        names = {row["filename"] for row in at.desk.store.rows("SELECT filename FROM files")}
        assert names == {"a.jsonl", "soon"}
        assert len(list(at.desk.files.folder.iterdir())) == 2


def test_what_is_lacking_is_said_before_a_run_starts(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1000)
    assert room_needed(10, tmp_path).memory == PROGRAM + 1000
    assert lack(Room(0, 0), tmp_path) == ""
    assert "MiB are needed on the disk" in lack(Room(2**60, 0), tmp_path)
    assert "of memory are needed" in lack(Room(0, 2**60), tmp_path)
    assert never(Room(0, memory_bytes() + 1))
    assert not never(Room(2**60, memory_bytes()))
