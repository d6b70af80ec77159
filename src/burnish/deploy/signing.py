"""Signs an export with OpenSSF model signing (extra `sign`), with a key of the user's own and without any network.

The signature is a Sigstore bundle over every file of the folder, in the folder as model.sig: the package's own command
verifies it, too.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError, MissingTool
from burnish.core.files import disk_errors
from burnish.deploy.manifest import SIGNATURE, differences


def sign(folder: Path, private_key: Path) -> None:
    """Writes model.sig into a folder that is as its manifest says. `private_key`: PEM, of P-256, P-384 or P-521.

    Raises MissingTool: the package is absent. Raises BurnishError: the key is none, or a file is not as it was written.
    """
    _check_installed()
    folder, private_key = folder.resolve(), private_key.resolve()  # the package mixes relative and absolute paths up
    if found := differences(folder):
        raise BurnishError(
            "This folder is not signed: it isn't what was exported.",
            where=str(folder),
            seen="; ".join(map(str, found[:5])),
            next_move="export it again with --fresh",
        )
    with _refusals(private_key, "This key cannot sign."):
        from model_signing import signing

        signer = signing.Config().use_elliptic_key_signer(private_key=private_key)
    temporary = folder.with_name(f".{folder.name}.{SIGNATURE}.tmp")
    with disk_errors(folder):
        try:
            signer.set_hashing_config(_hashing(folder)).sign(folder, temporary)
            temporary.replace(folder / SIGNATURE)
        finally:
            temporary.unlink(missing_ok=True)


def check_signature(folder: Path, public_key: Path) -> None:
    """Passes when model.sig was made with this key's private half over just these files.

    Raises MissingTool: the package is absent. Raises BurnishError: no signature, another key's, or of other files.
    """
    _check_installed()
    folder, public_key = folder.resolve(), public_key.resolve()
    if not (folder / SIGNATURE).is_file():
        raise BurnishError(
            "There is no signature here.", where=str(folder / SIGNATURE), next_move="burnish export RUN --sign KEY"
        )
    with _refusals(public_key, "The signature does not hold."):
        from model_signing import verifying

        config = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
        config.set_hashing_config(_hashing(folder)).verify(folder, folder / SIGNATURE)


def _hashing(folder: Path) -> Any:
    """All files, those of git too: by default the package leaves them out."""
    from model_signing import hashing

    return hashing.Config().set_ignored_paths(paths=[folder / SIGNATURE], ignore_git_paths=False)


def _check_installed() -> None:
    if importlib.util.find_spec("model_signing") is None or importlib.util.find_spec("OpenSSL") is None:
        raise MissingTool("model-signing is not installed.", next_move="pip install 'burnish[sign]'")


@contextmanager
def _refusals(key: Path, what: str) -> Iterator[None]:
    """The package tells a bad key, signature or file by errors of many kinds."""
    try:
        yield
    except BurnishError:
        raise
    except Exception as error:
        seen = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise BurnishError(what, where=str(key), seen=seen, next_move="check the key, then the folder") from error
