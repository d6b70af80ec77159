"""`burnish verify` and `burnish export --sign`."""

from __future__ import annotations

from pathlib import Path

from burnish.cli.runs import is_run, say
from burnish.core.errors import BurnishError
from burnish.core.run_folder import RunFolder
from burnish.deploy.manifest import SIGNATURE
from burnish.deploy.signing import check_signature, sign
from burnish.pipeline.verifying import verify


def sign_export(run: RunFolder, key: Path) -> None:
    """Signs what a run exported."""
    sign(run.export, key)
    say(f"signed: {run.export / SIGNATURE}")


def show_check(folder: Path, key: Path | None, out: Path) -> None:
    """A line a part, and one for each file that isn't as it was written.

    Raises BurnishError: there is such a file, or the signature does not hold.
    """
    folder = folder if folder.is_dir() else out / folder
    parts = verify(folder)
    for one in parts:
        say(f"{one.part}: as it was written" if not one.found else f"{one.part}:")
        for found in one.found:
            say(f"  {found}")
    exported = folder / "export" if is_run(folder) else folder
    if key is not None:
        check_signature(exported, key)
        say("signature: made with this key's private half, over these files")
    elif (exported / SIGNATURE).is_file():
        say("signature: not checked; `--key PUBLIC_KEY` does")
    if any(one.found for one in parts):
        raise BurnishError(
            "Not everything is as it was written.",
            where=str(folder),
            seen=f"{sum(len(one.found) for one in parts)} differences",
            next_move="take it from where it came again, or export it again with --fresh",
        )
