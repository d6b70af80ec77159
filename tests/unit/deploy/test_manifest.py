"""Whatever happens to an exported folder, its manifest tells."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.deploy.manifest import MANIFEST, SIGNATURE, differences, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    (folder / "merged").mkdir(parents=True)
    (folder / "merged" / "model.safetensors").write_bytes(random.Random(0).randbytes(5000))
    (folder / "merged" / "config.json").write_text('{"width": 8}')
    (folder / "Modelfile").write_text("FROM ./model.gguf\n")
    write_manifest(folder)
    return folder


def told(folder: Path) -> list[str]:
    return [str(one) for one in differences(folder)]


def test_an_untouched_folder_has_no_differences(folder: Path) -> None:
    assert told(folder) == []


def test_each_of_a_hundred_flipped_bits_is_found_and_its_file_named(folder: Path) -> None:
    draw = random.Random(7)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for _ in range(100):
        path = draw.choice(files)
        before = path.read_bytes()
        place = draw.randrange(len(before))
        path.write_bytes(before[:place] + bytes([before[place] ^ 1 << draw.randrange(8)]) + before[place + 1 :])
        (found,) = told(folder)
        assert path.relative_to(folder).as_posix() in found
        path.write_bytes(before)


def test_every_byte_of_a_manifest_counts(folder: Path) -> None:
    draw = random.Random(8)
    path = folder / MANIFEST
    before = path.read_bytes()
    for place in range(len(before)):
        path.write_bytes(before[:place] + bytes([before[place] ^ 1 << draw.randrange(8)]) + before[place + 1 :])
        assert told(folder) == [f"manifest: {MANIFEST} is damaged"], place


def test_changed_added_removed_and_renamed_files_are_told_apart(folder: Path) -> None:
    (folder / "merged" / "config.json").write_text('{"width": 9}')
    (folder / "merged" / ".hidden").write_text("new")
    (folder / "Modelfile").rename(folder / "Modelfile.old")
    (folder / "merged" / "model.safetensors").unlink()
    assert told(folder) == [
        "renamed: Modelfile is now Modelfile.old",
        "added: merged/.hidden",
        "changed: merged/config.json",
        "removed: merged/model.safetensors",
    ]


def test_two_files_that_changed_places_both_changed(folder: Path) -> None:
    one, other = folder / "Modelfile", folder / "merged" / "config.json"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    assert told(folder) == ["changed: Modelfile", "changed: merged/config.json"]


def test_a_link_is_not_the_file_it_leads_to(folder: Path, tmp_path: Path) -> None:
    (folder / "Modelfile").rename(tmp_path / "elsewhere")
    (folder / "Modelfile").symlink_to(tmp_path / "elsewhere")
    (folder / "more").symlink_to(tmp_path)
    assert told(folder) == ["changed: Modelfile", "added: more"]


def test_the_signature_lies_outside_the_manifest(folder: Path) -> None:
    (folder / SIGNATURE).write_text("{}")
    assert told(folder) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": []}', "[" * 100_000, '{"files": {}, "sha256": ""}'])
def test_a_manifest_that_is_none_is_damaged(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    assert told(folder) == [f"manifest: {MANIFEST} is damaged"]


def test_an_entry_that_was_made_to_fit_is_found_by_the_sum_of_all(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"].pop("Modelfile")
    (folder / "Modelfile").unlink()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    assert told(folder) == [f"manifest: {MANIFEST} is damaged"]


def test_a_folder_without_a_manifest_is_an_error_with_the_next_move(tmp_path: Path) -> None:
    with pytest.raises(BurnishError, match="no manifest") as refusal:
        differences(tmp_path)
    assert "burnish export" in refusal.value.next_move
