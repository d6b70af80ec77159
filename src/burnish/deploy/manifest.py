"""The list of what a folder holds: name, size and sha256 of every file, in manifest.json, which is written last.

It tells damage, loss and additions. Against somebody who would write the list anew only a signature helps: signing.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.files import sha256_of_file, sha256_of_json, write_json

MANIFEST = "manifest.json"
SIGNATURE = "model.sig"  # over all files, the manifest too: it can't stand in it
MOST_BYTES = 64 * 2**20  # of a manifest: some hundred thousand files


@dataclass(frozen=True)
class Difference:
    """One file that is not as the manifest says. kind: changed, added, removed, renamed or "manifest"."""

    kind: str
    name: str
    was: str = ""  # of a renamed file

    def __str__(self) -> str:
        return f"{self.kind}: {self.was} is now {self.name}" if self.was else f"{self.kind}: {self.name}"


def write_manifest(folder: Path) -> dict[str, Any]:
    """Lists every file below `folder` and writes the list there, whole or not at all; returns it."""
    files = {name: _facts(folder / name) for name in sorted(_names(folder))}
    manifest = {"files": files, "sha256": sha256_of_json(files)}
    write_json(folder / MANIFEST, manifest)
    return manifest


def differences(folder: Path) -> list[Difference]:
    """Every file that is not as the manifest says, by name; empty when all is as it was written.

    Raises BurnishError: there is no manifest.
    """
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        raise BurnishError(
            "There is no manifest here.", where=str(folder), next_move="burnish export RUN --fresh writes one"
        )
    listed = _listed(path)
    if listed is None:
        return [Difference("manifest", f"{MANIFEST} is damaged")]
    present = set(_names(folder))
    changed = [name for name in present & listed.keys() if _facts(folder / name) != listed[name]]
    return sorted(
        [*(Difference("changed", name) for name in changed), *_moved(folder, listed, present)],
        key=lambda one: (one.name, one.kind),
    )


def _moved(folder: Path, listed: dict[str, Any], present: set[str]) -> Iterator[Difference]:
    """Files that are there and not listed, or the other way round; one with the content of a lost one was renamed."""
    lost = {name: listed[name] for name in sorted(listed.keys() - present)}
    for name in sorted(present - listed.keys()):
        facts = _facts(folder / name)
        was = next((one for one, known in lost.items() if known == facts), "")
        lost.pop(was, None)
        yield Difference("renamed" if was else "added", name, was)
    yield from (Difference("removed", name) for name in lost)


def _listed(path: Path) -> dict[str, Any] | None:
    """The manifest's files; None where it isn't what was written, to the last byte."""
    if path.stat().st_size > MOST_BYTES:
        return None
    content = path.read_bytes()
    try:
        manifest = json.loads(content)
        files = manifest["files"]
        if not isinstance(files, dict) or manifest != {"files": files, "sha256": sha256_of_json(files)}:
            return None
        again = json.dumps(manifest, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
        return files if again.encode() == content else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _names(folder: Path) -> Iterator[str]:
    """Every file and link below the folder, with / between the parts, but manifest and signature. Links are not
    followed, folders alone are nothing."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        for name in [*files, *(one for one in folders if (here / one).is_symlink())]:
            relative = (here / name).relative_to(folder).as_posix()
            if relative not in (MANIFEST, SIGNATURE):
                yield os.fsencode(relative).decode("utf-8", "backslashreplace")


def _facts(path: Path) -> dict[str, Any]:
    """Size and hash; of what is no plain file, that it is none."""
    if path.is_symlink() or not path.is_file():
        return {"bytes": 0, "sha256": "not a file"}
    return {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
