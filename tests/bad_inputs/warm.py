"""What all trials share: everything imported, a tiny model, and one run that loads what is loaded late."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest

from burnish.cli.main import main
from tests.bad_inputs.case import good_lines, line, must
from tests.tiny import write_gguf_model, write_model

# Polars is only imported: its threads must be started by each fork itself.
LONG = {"prompt": "How long does the parcel take from here to the other side of the river? " * 4, "completion": "bug"}
SHORT = ("--set", "train.steps=2", "--set", "evaluate.retention=off")
LATE = ("polars", "burnish.data.read.tables", "burnish.cli.reviewing")


def warm_up(folder: Path, *, trained: bool = True) -> Path:
    """The folder of a tiny model; the command ran on sound rows. `trained`: `trained/r` is a run with a verdict."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        model = write_model(folder / "model")
        write_gguf_model(folder / "model.gguf", model)
    for name in LATE:
        importlib.import_module(name)
    (folder / "warm.jsonl").write_bytes(b"\n".join([*good_lines(), line(LONG)]))
    arguments = ["--model", model, "--data", folder / "warm.jsonl", "--out"]
    _run(["prepare", *arguments, folder / "warm", "--name", "r"])
    if trained:
        _run(["evaluate", *arguments, folder / "trained", "--name", "r", *SHORT])
    return model


def _run(arguments: Sequence[object]) -> None:
    said = io.StringIO()
    with (
        patch.object(sys, "argv", ["burnish", *map(str, arguments)]),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    must(not stop.value.code, said.getvalue())
