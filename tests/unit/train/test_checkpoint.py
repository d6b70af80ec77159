from __future__ import annotations

from pathlib import Path

import pytest
import torch

from burnish.core.errors import BurnishError
from burnish.train import checkpoint as checkpoints
from burnish.train.checkpoint import (
    Checkpoint,
    bad_file,
    forget_all_but,
    newest_checkpoint,
    read_checkpoint,
    save_checkpoint,
    step_folder,
)

FILES = (checkpoints.WEIGHTS, checkpoints.OPTIMISER, checkpoints.STATE, checkpoints.MANIFEST)


def made(step: int) -> Checkpoint:
    generator = torch.Generator().manual_seed(step)
    weights = {"a": torch.randn(3, 5, generator=generator), "b": torch.randn(4, generator=generator).bfloat16()}
    moments = {"a/step": torch.tensor(float(step)), "a/exp_avg": torch.randn(3, 5, generator=generator)}
    return Checkpoint(weights, moments, {"step": step, "best_loss": None, "history": [[4, 0.1]]})


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(content[: -len(content) // 3])
    else:  # one bit in the middle
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def test_a_checkpoint_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    saved = made(7)
    folder = save_checkpoint(tmp_path, 7, saved)
    assert folder.name == "000007"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    read = read_checkpoint(folder)
    assert read.state == saved.state
    for ours, theirs in ((read.weights, saved.weights), (read.optimiser, saved.optimiser)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) and ours[name].dtype == theirs[name].dtype for name in ours)


@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "bit flip"])
@pytest.mark.parametrize("name", FILES)
def test_each_damaged_file_is_named_and_an_older_checkpoint_taken(tmp_path: Path, name: str, how: str) -> None:
    for step in (4, 8):
        save_checkpoint(tmp_path, step, made(step))
    damage(tmp_path / "000008" / name, how)
    named = bad_file(tmp_path / "000008")
    # A changed bit in the manifest's hashes cannot be told from one in the file that the hash is of.
    assert named == name or (name == checkpoints.MANIFEST and how == "bit flip" and named in FILES)
    with pytest.raises(BurnishError, match="damaged") as caught:
        read_checkpoint(tmp_path / "000008")
    assert caught.value.where == str(tmp_path / "000008" / str(named))
    said: list[str] = []
    found = newest_checkpoint(tmp_path, said.append)
    assert found is not None
    assert found.state["step"] == 4
    assert said == [f"checkpoint 000008 is damaged ({named}); taking an older one"]


def test_no_good_checkpoint_is_none(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path, print) is None
    save_checkpoint(tmp_path, 4, made(4))
    damage(tmp_path / "000004" / checkpoints.STATE, "truncated")
    said: list[str] = []
    assert newest_checkpoint(tmp_path, said.append) is None
    assert len(said) == 1


def test_a_file_that_the_manifest_does_not_know_cannot_slip_in(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 4, made(4))
    (folder / checkpoints.MANIFEST).write_text("{}")
    assert bad_file(folder) == checkpoints.MANIFEST
    (folder / checkpoints.MANIFEST).write_text("[]")
    assert bad_file(folder) == checkpoints.MANIFEST


def test_what_a_crash_left_half_written_is_not_read_and_is_cleaned_away(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 4, made(4))
    half = tmp_path / "000008.tmp-123"
    half.mkdir()
    (half / checkpoints.WEIGHTS).write_bytes(b"half")
    found = newest_checkpoint(tmp_path, print)
    assert found is not None
    assert found.state["step"] == 4
    save_checkpoint(tmp_path, 8, made(8))
    forget_all_but(tmp_path, {8})
    assert [path.name for path in tmp_path.iterdir()] == ["000008"]


def test_the_newest_is_the_one_with_the_highest_step(tmp_path: Path) -> None:
    for step in (999_999, 1_000_000, 5):
        save_checkpoint(tmp_path, step, made(step))
    found = newest_checkpoint(tmp_path, print)
    assert found is not None
    assert found.state["step"] == 1_000_000
    forget_all_but(tmp_path, {5, 1_000_000})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000005", "1000000"]


def test_a_step_saved_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 4, made(1))
    save_checkpoint(tmp_path, 4, made(2))
    assert read_checkpoint(step_folder(tmp_path, 4)).state["step"] == 2
