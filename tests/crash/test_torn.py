"""K3: damaged checkpoints are never loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from burnish.core.errors import BurnishError
from burnish.core.files import append_jsonl
from burnish.core.run_folder import RunFolder
from burnish.train.checkpoint import bad_file, newest_checkpoint, read_checkpoint, steps_in
from burnish.train.optimiser import AdamW
from burnish.train.saving import save
from burnish.train.work import Progress
from tests.crash.kinds import Kind
from tests.crash.processes import run
from tests.crash.torn import damages, inflict, named_rightly
from tests.crash.trial import finish, log_of, train_ranks

KINDS = [Kind(steps=6, save_every=2), Kind(method="full", steps=6, save_every=2), Kind(ranks=2, steps=6, save_every=2)]


@pytest.fixture(scope="module", params=KINDS, ids=str)
def trained(request: pytest.FixtureRequest, memory: Path) -> Path:
    folder = memory / f"torn {request.param}"
    code = run(train_ranks, log_of(folder), request.param, folder)
    assert code == 0, log_of(folder).read_text()
    return folder / "checkpoints"


def test_each_of_104_damages_is_named_and_the_older_checkpoint_taken(trained: Path, scratch: Path) -> None:
    older, newest = steps_in(trained)[-2:]
    shutil.copytree(trained / f"{older:06d}", scratch / f"{older:06d}")
    torn = scratch / f"{newest:06d}"
    tried = 0
    for damage in damages(trained / torn.name, trained / f"{older:06d}", seed=0):
        inflict(damage, trained / torn.name, torn)
        said: list[str] = []
        found = newest_checkpoint(scratch, said.append)
        assert found is not None, damage.how
        assert found.state["step"] == older, f"{damage.file} {damage.how}: it was loaded"
        assert len(said) == 1
        named = said[0].partition("(")[2].partition(")")[0]
        assert named_rightly(damage, named), f"{damage.file} {damage.how}: {said[0]}"
        with pytest.raises(BurnishError, match="damaged"):
            read_checkpoint(torn)
        tried += 1
    assert tried == 104


@pytest.fixture
def stopped(scratch: Path) -> tuple[Kind, Path, dict[str, str]]:
    """A finished run, cut back to what it was before its last save: two good checkpoints."""
    kind = Kind(steps=6, save_every=2)
    return kind, scratch / "run", finish(kind, scratch / "run")


@pytest.mark.parametrize("file", ["weights.safetensors", "manifest.json"])
def test_a_run_whose_newest_checkpoint_is_damaged_ends_in_the_same_bytes(
    stopped: tuple[Kind, Path, dict[str, str]], file: str
) -> None:
    kind, folder, expected = stopped
    newest = folder / "checkpoints" / f"{steps_in(folder / 'checkpoints')[-1]:06d}"
    (newest / file).write_bytes(b"")
    assert finish(kind, folder) == expected
    assert f"checkpoint {newest.name} is damaged ({file})" in log_of(folder).read_text()


def test_after_the_second_save_there_are_always_two_good_checkpoints(
    stopped: tuple[Kind, Path, dict[str, str]],
) -> None:
    assert len(steps_in(stopped[1] / "checkpoints")) >= 2


def test_a_run_whose_checkpoints_are_all_damaged_is_refused(stopped: tuple[Kind, Path, dict[str, str]]) -> None:
    kind, folder, _ = stopped
    before = (folder / "metrics.jsonl").read_bytes()
    for path in (folder / "checkpoints").glob("*/weights.safetensors"):
        path.write_bytes(b"")
    code = run(train_ranks, log_of(folder), kind, folder)
    assert code == 1
    assert (folder / "metrics.jsonl").read_bytes() == before
    assert "--fresh" in log_of(folder).read_text()


def test_a_damaged_checkpoint_takes_no_good_ones_place(scratch: Path) -> None:
    """Saved at 2 and 4, 4 damaged, gone on from 2, saved at 5: 2 and 5 are the two good ones."""
    run_folder, weight = RunFolder(scratch / "run"), nn.Parameter(torch.zeros(3))
    run_folder.create()
    optimiser = AdamW({"weight": weight}, 0.0)
    weight.grad = torch.ones(3)
    optimiser.step(0.0)
    append_jsonl(run_folder.metrics, {"step": 1})
    for step in (2, 4, 5):
        save(run_folder, {"weight": weight}, optimiser, Progress(step=step))
        if step == 4:
            (run_folder.checkpoints / "000004" / "weights.safetensors").write_bytes(b"")
    kept = run_folder.checkpoints
    assert [step for step in steps_in(kept) if bad_file(kept / f"{step:06d}") is None] == [2, 5]
