"""A whole run speaks to nobody: every connection that Python opens is announced to a hook, in the run's own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SHORT = ("--set", "train.steps=8", "--set", "train.learning_rate=0.01", "--set", "evaluate.retention=off",
         "--set", "export=[gguf-f32]")  # fmt: skip
PROGRAM = """
import socket, sys
from burnish.cli.main import main
told = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        address = arguments[1] if event != "socket.getaddrinfo" else arguments
        if address[0] not in ("127.0.0.1", "::1", "localhost"):
            told.append(f"{event} {address}")
sys.addaudithook(hook)
if "--probe" in sys.argv:
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)
    except OSError:
        pass
else:
    for words in WORDS:
        sys.argv = ["burnish", *words]
        try:
            main()
        except SystemExit as stop:
            assert not stop.code, (words, stop.code)
print("told:", told)
"""


def said_by(words: list[list[str]], *more: str, cwd: Path) -> str:
    """What the hook saw, as the program prints it in its last line."""
    open_to_the_hub = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    program = PROGRAM.replace("WORDS", json.dumps(words))
    run = subprocess.run([sys.executable, "-c", program, *more], capture_output=True, text=True, timeout=300,
                         cwd=cwd, env={**open_to_the_hub, "HF_HOME": str(cwd / "hub")}, input="hello\n")  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()[-1]


def test_a_run_from_the_data_to_the_export_and_a_talk_connect_to_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    """Without HF_HUB_OFFLINE, which would hide what the libraries below try."""
    rows = [{"prompt": f"Ticket {n}", "completion": "bug" if n % 2 else "wish"} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = ["run", "--model", str(tiny_folder), "--data", "rows.jsonl", "--name", "r", *SHORT]
    assert said_by([run, ["chat", "r", "--max-new-tokens", "2"]], cwd=tmp_path) == "told: []"
    assert (tmp_path / "runs" / "r" / "card.md").is_file()


def test_the_hook_sees_a_connection(tmp_path: Path) -> None:
    assert "192.0.2.1" in said_by([], "--probe", cwd=tmp_path)
