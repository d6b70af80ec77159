"""K3: every way in which a file of a checkpoint may be damaged."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from burnish.train.checkpoint import MANIFEST, OPTIMISER, STATE, WEIGHTS

FILES = (WEIGHTS, OPTIMISER, STATE, MANIFEST)
FLIPS = 20


@dataclass(frozen=True)
class Damage:
    """What is done to one file. `content` None: the file is gone."""

    file: str
    how: str
    content: bytes | None


def damages(newest: Path, older: Path, seed: int) -> Iterator[Damage]:
    """For each file: length 0, 1, half, all but one byte; one bit turned at 20 places; missing; the older one's."""
    dice = random.Random(seed)
    for file in FILES:
        whole = (newest / file).read_bytes()
        ending = 2 if file == MANIFEST else 1  # its last byte is a line's end, without which it says the same
        for length in (0, 1, len(whole) // 2, len(whole) - ending):
            yield Damage(file, f"cut to {length} bytes", whole[:length])
        for at in [0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(FLIPS - 2))]:
            turned = whole[at] ^ (1 << dice.randrange(8))
            yield Damage(file, f"a bit turned at byte {at}", whole[:at] + bytes([turned]) + whole[at + 1 :])
        yield Damage(file, "missing", None)
        yield Damage(file, "taken from the older checkpoint", (older / file).read_bytes())


def inflict(damage: Damage, good: Path, folder: Path) -> None:
    """A copy of the good checkpoint with this damage; hard links for what stays whole."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder, copy_function=lambda source, target: Path(target).hardlink_to(source))
    (folder / damage.file).unlink()
    if damage.content is not None:
        (folder / damage.file).write_bytes(damage.content)


def named_rightly(damage: Damage, named: str) -> bool:
    """Whether the message names the file. A changed hash in the manifest looks like a change of the file it is of."""
    return named == damage.file or (damage.file == MANIFEST and named in FILES)
