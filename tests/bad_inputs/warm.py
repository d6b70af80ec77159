"""What all trials share: everything imported, a tiny model, and one run that loads what is loaded late."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from burnish.cli.main import main
from tests.bad_inputs.case import good_lines, line
from tests.tiny import write_model

# Polars is only imported: its threads must be started by each fork itself.
LONG = {"prompt": "How long does the parcel take from here to the other side of the river? " * 4, "completion": "bug"}
LATE = ("polars", "burnish.data.read.tables", "burnish.cli.reviewing")


def warm_up(folder: Path) -> Path:
    """The folder of a tiny model; the command has been run once on sound rows."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        model = write_model(folder / "model")
    for name in LATE:
        importlib.import_module(name)
    (folder / "warm.jsonl").write_bytes(b"\n".join([*good_lines(), line(LONG)]))
    arguments = ["prepare", "--model", model, "--data", folder / "warm.jsonl", "--out", folder / "warm", "--name", "r"]
    with (
        patch.object(sys, "argv", ["burnish", *map(str, arguments)]),
        contextlib.redirect_stdout(said),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    assert not stop.value.code, said.getvalue()
    return model
