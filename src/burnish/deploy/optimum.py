"""Has optimum write an ONNX file, and asks onnxruntime what it makes of that.

optimum-onnx pins transformers below 5, so it has an environment of its own: BURNISH_OPTIMUM names that environment's
Python. Nothing of this process's goes there but the folder to read, and nothing comes back but files and JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from burnish.core.errors import MissingTool, ParityError
from burnish.core.hardware import cores
from burnish.core.records import Message
from burnish.deploy.answers import TOP, Answer
from burnish.deploy.llamacpp import EngineAnswers

FORM = "onnx"
VARIABLE = "BURNISH_OPTIMUM"
INSTALL = "python -m venv optimum && optimum/bin/pip install torch 'optimum-onnx[onnxruntime]==0.1.0'"
TASK = "text-generation-with-past"
TIMEOUT_S = 4 * 3600
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
PROBE = Path(__file__).with_name("onnx_probe.py")


def check_optimum(forms: Collection[str]) -> None:
    """Raises MissingTool: ONNX is among these forms, and nothing here writes it."""
    if FORM in forms:
        python()


def python() -> str:
    """The Python of the environment. Raises MissingTool: there is none."""
    named = os.environ.get(VARIABLE, "")
    if named and (found := shutil.which(named)):
        return found
    raise MissingTool(
        "ONNX is written by optimum, which asks for transformers below 5 and so for an environment of its own.",
        where=VARIABLE,
        seen=named or "not set",
        next_move=f"{INSTALL}, then export {VARIABLE}=$PWD/optimum/bin/python",
    )


def export_onnx(source: Path, target: Path) -> None:
    """Writes model.onnx, with a cache of keys and values, from a transformers folder in float32.

    Raises MissingTool: optimum is not here. Raises ParityError: it fails.
    """
    # Code of the folder's own is never run: without --trust-remote-code it asks nobody and refuses.
    arguments = ["-m", "optimum.exporters.onnx", "--model", str(source), "--task", TASK]
    arguments += ["--library-name", "transformers", "--framework", "pt", "--device", "cpu", str(target)]
    _run("optimum", arguments, "", target.name)
    if not (target / "model.onnx").is_file():
        raise ParityError("optimum wrote no model.onnx.", where=target.name, seen=", ".join(_names(target)))


def ask(
    folder: Path,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[Answer],
    *,
    max_new_tokens: int,
) -> EngineAnswers:
    """Asks the file in onnxruntime; prompts by its folder's tokenizer and template, in transformers 4.

    Raises MissingTool: onnxruntime is not here. Raises ParityError: it refuses the file or answers in another form.
    """
    question = {
        "folder": str(folder.resolve()),
        "threads": max(1, cores() // 2),
        "conversations": [[message.to_json() for message in messages] for messages in conversations],
        "items": [{"prompt": answer.prompt, "answer": answer.tokens} for answer in answers],
        "max_new_tokens": max_new_tokens,
        "top": TOP,
    }
    reply = _run("onnxruntime", [str(PROBE)], json.dumps(question), folder.name)
    try:
        found = json.loads(reply)
        return EngineAnswers(
            engine=str(found["engine"]),
            prompts=[[int(token) for token in prompt] for prompt in found["prompts"]],
            answers=[([int(token) for token in one["tokens"]], bool(one["stopped"])) for one in found["answers"]],
            places=[[tuple((int(i), float(p)) for i, p in place) for place in item] for item in found["places"]],
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ParityError(
            "onnxruntime answers in an unknown form.", where=folder.name, seen=str(error)[:200]
        ) from error


def _run(program: str, arguments: Sequence[str], given: str, where: str) -> str:
    # -I: neither the user's folder nor PYTHONPATH brings in a package in the place of that environment's own.
    command = [python(), "-I", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | ENVIRONMENT
    try:
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ParityError(f"{program} did not come to an end.", where=where, seen=f"{TIMEOUT_S} s") from error
    if done.returncode:
        last = [line.strip() for line in done.stderr.splitlines() if line.strip()][-1:]
        raise ParityError(
            f"{program} cannot use this model.", where=where, seen=f"exit code {done.returncode}: {''.join(last)[:300]}"
        )
    return done.stdout


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
