"""Calls the command line in this process, which has torch loaded already."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from burnish.cli.main import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def burnish(*arguments: str | Path) -> Result:
    """Exit code, stdout and stderr of `burnish …`."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        patch.object(sys, "argv", ["burnish", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Result(code, out.getvalue(), err.getvalue())
