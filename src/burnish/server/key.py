"""The server's key: made at the first start, kept in a file that only its owner can read, compared in constant time."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from burnish.core.errors import BurnishError, RecipeError
from burnish.core.files import disk_errors

SHORTEST = 16  # characters of a key that a person chose
LONGEST = 1024
VARIABLE = "BURNISH_API_KEY"


@dataclass(frozen=True)
class Key:
    """`file` is where it stands; None where a person gave it."""

    value: str = field(repr=False)
    file: Path | None = None

    def fits(self, given: str) -> bool:
        """Whether this is the key."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.value.encode())


def key_path() -> Path:
    """server.key in $BURNISH_HOME, else in `burnish` of $XDG_CONFIG_HOME, else of ~/.config."""
    if own := os.environ.get("BURNISH_HOME"):
        return Path(own).expanduser() / "server.key"
    shared = os.environ.get("XDG_CONFIG_HOME")
    return (Path(shared) if shared else Path.home() / ".config") / "burnish" / "server.key"


def given_key(option: str | None) -> Key | None:
    """The key of --api-key, else of BURNISH_API_KEY; None where there is neither. Raises RecipeError: it is no key."""
    value = os.environ.get(VARIABLE) if option is None else option
    if value is None:
        return None
    if not SHORTEST <= len(value) <= LONGEST or not (value.isascii() and value.isprintable()) or " " in value:
        raise RecipeError(
            "That is not a key.",
            where="--api-key" if option is not None else VARIABLE,
            seen=f"{len(value)} characters",  # never the value: it may be a key with one letter wrong
            next_move=f"give at least {SHORTEST} letters, digits or signs without spaces, or leave it out to have one "
            "made",
        )
    return Key(value)


def kept_key(path: Path) -> Key:
    """The key of that file, which is made where it is absent: 256 random bits, readable by its owner alone.

    Raises BurnishError: others can read the file, it holds no key, or it cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return Key(_read(path), path)
        with os.fdopen(handle, "w") as file:
            value = secrets.token_urlsafe(32)
            file.write(value + "\n")
    return Key(value, path)


def _read(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        value = file.read(LONGEST).strip()
    open_to_others = status.st_mode & 0o077 or status.st_uid != os.getuid()
    if open_to_others or len(value) < SHORTEST or not value.isascii() or not value.isprintable() or " " in value:
        raise BurnishError(
            "The file of the server's key cannot be trusted.",
            where=str(path),
            seen=f"mode {status.st_mode & 0o777:04o}" if open_to_others else "no key in it",
            next_move="delete it: a new key is made at the next start",
        )
    return value
