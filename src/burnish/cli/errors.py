"""Any error → a few lines for a person and an exit code. A traceback appears only with --debug."""

from __future__ import annotations

import errno
import sys

from burnish.core.errors import BurnishError, RecipeError, Stopped

MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


def as_burnish_error(error: BaseException) -> BurnishError:
    """Names what a foreign error means for the user."""
    if isinstance(error, BurnishError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Stopped("Interrupted.", next_move="run the same command again to go on from the last saved step")
    if isinstance(error, MemoryError) or any(word in str(error) for word in MEMORY_WORDS):
        return BurnishError(
            "There is not enough memory.",
            seen=str(error).splitlines()[0] if str(error) else "",
            next_move="keep less of every token: --set train.recompute=true, or compute fewer tokens at once: "
            "--set train.tokens_per_pass=512",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Stopped("The disk is full.", where=str(error.filename or ""), next_move="free space and run it again")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = str(error.filename or "")
        return RecipeError("A name is too long for this disk.", where=f"{name[:80]}…", next_move="give a shorter one")
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return RecipeError("A path starts with `~`.", seen=str(error), next_move="write the path out")
    return BurnishError(
        f"Something unforeseen went wrong: {type(error).__name__}.",
        seen=str(error).splitlines()[0][:300] if str(error) else "",
        next_move="run the same command with --debug and report what it prints",
    )


def report_error(error: BaseException) -> int:
    """Prints it to stderr and returns the exit code."""
    known = as_burnish_error(error)
    sys.stderr.write(f"error: {printable(str(known))}\n")
    return known.exit_code


def printable(text: str) -> str:
    """No control characters on the terminal, whatever a file held."""
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
