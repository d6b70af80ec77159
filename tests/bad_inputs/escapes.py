"""Names that reach out of their place, in every field of a recipe and of the command line that takes one."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

from burnish.cli.main import main
from tests.bad_inputs.case import NAME, Case, Made, Survived, good_lines, good_model, must

STRINGS: Sequence[str] = (
    "..", ".", "", " ", "../x", "../../x", "../../../../../../../../tmp/x", "a/../../../x", "r/../../x", "./../x",
    "x/..", "x/.", "{box}/outside", "/", "/dev/null", "/dev/stdin", "/dev/full", "/proc/self/environ",
    "/proc/self/fd/0", "/etc/passwd", "~", "~root/x", "$HOME/x", "%2e%2e%2fx", "..%2fx", "..\\..\\x",
    "C:\\x", "\\\\server\\share", "file:///etc/passwd", "http://127.0.0.1:1/x", "x\x00y", "x\ny",
    "\x1b[31mx", "\u202ex", "-rf", "--help",
    "$(touch canary)", "|touch canary", "x" * 300, "x/" * 3000,
)  # fmt: skip


def commands(text: str, data: Path, runs: Path, model: Path) -> Iterator[list[str]]:
    """Each verb with the string where it takes a name or a path."""
    sound = ["--out", str(runs), "--set", "train.steps=1"]
    base = ["--model", str(model), "--data", str(data / NAME), *sound]
    yield ["prepare", *base, "--name", text]
    yield ["prepare", "--model", text, "--data", str(data / NAME), *sound, "--name", "m"]
    yield ["prepare", "--model", str(model), "--data", text, *sound, "--name", "d"]
    yield ["prepare", *base, "--name", "t", "--set", f"data.test={json.dumps(text)}"]
    yield ["prepare", *base, "--name", "v", "--set", f"data.dev={json.dumps(text)}"]
    yield ["prepare", *base, "--name", "g", "--set", f"evaluate.metric={json.dumps(text + '.py:score')}"]
    yield ["evaluate", *base, "--name", "o", "--set", f"evaluate.opponents=[base, {{run: {json.dumps(text)}}}]"]
    yield ["show", text, "--model", str(model)]
    for verb in ("chat", "verdict", "adapters"):
        yield [verb, text, "--out", str(runs)]
    yield ["import", text]
    yield ["fetch", text]


def through_all(text: str, data: Path) -> None:
    """Every command, one after another; each ends well or with one plain error."""
    model, runs = good_model(data), data.parent / "runs"
    text = text.replace("{box}", str(data.parent))
    wrong = []
    for words in commands(text, data, runs, model):
        sys.argv = ["burnish", *words]
        said = io.StringIO()
        code = 0
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                main()
            except SystemExit as stop:
                code = int(stop.code or 0)
        told = said.getvalue()
        plain = not code or ("error: " in told and "  next: " in told) or "Usage: " in told or "Error" in told
        if not plain or "unforeseen" in told or "Traceback" in told:
            wrong.append(f"{words[0]} {[one for one in words if text in one][:1]}: {code} {told[-300:]}")
    must(not wrong, " // ".join(wrong).replace("\n", " "))


def inside(box: Path) -> Iterator[str]:
    """What lies outside the runs."""
    for path in box.iterdir():
        if path.name not in ("data", "home", "runs", "here", "watch"):
            yield f"{path} was made"


def made(text: str, folder: Path, rng: Random) -> Made:
    (folder / NAME).write_bytes(b"\n".join(good_lines()))
    return Made("", Survived(inside, 0), call=partial(through_all, text, folder), writes=("runs",))


CASES = tuple(Case(f"as a name or path: {text[:30]!r}", partial(made, text)) for text in STRINGS)
