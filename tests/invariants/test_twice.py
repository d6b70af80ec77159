"""25: the same command in two processes writes the same bytes. Guards against an order that follows hashes of strings,
which differ from process to process, and against random numbers that no seed reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.run_cli import burnish

WRITTEN = ("data", "metrics.jsonl", "checkpoints", "adapter")


def files(run: Path) -> dict[str, bytes]:
    """Every file that data and training left, by its place in the run."""
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.relative_to(run).parts[0] in WRITTEN)
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def test_two_processes_write_the_same_bytes(tiny_folder: Path, tmp_path: Path) -> None:
    """This process, which has drawn numbers before, and a new one; with an adapter of peft's, which draws its start."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"{n}?", "completion": f"blue {n % 3}"}) + "\n" for n in range(40)))

    def command(out: str) -> list[str]:
        settings = ("adapt={type: peft, config: {peft_type: LOKR, r: 4}}", "train.steps=4", "train.save_every=2")
        paths = ["--model", tiny_folder, "--data", rows, "--out", tmp_path / out, "--name", "run"]
        return ["train", *map(str, paths), *(word for setting in settings for word in ("--set", setting))]

    here = burnish(*command("here"))
    assert here.code == 0, here.err
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-m", "burnish", *command("there")], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (files(tmp_path / out / "run") for out in ("here", "there"))
    assert {"metrics.jsonl", "checkpoints/000004/optimiser.safetensors", "adapter/adapter_config.json"} <= set(first)
    assert [name for name in first if first[name] != second.get(name)] == []
