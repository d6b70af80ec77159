"""K-quants: formats with scales of their own bits, which only llama.cpp's `llama-quantize` writes.

The program is the user's: BURNISH_LLAMA_QUANTIZE names it, or it stands on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from burnish.core.errors import MissingTool, ParityError
from burnish.core.files import disk_errors

KFormat: TypeAlias = Literal["q6_k", "q5_k_m", "q4_k_m", "q3_k_m"]
K_FORMATS: tuple[KFormat, ...] = get_args(KFormat)
VARIABLE, PROGRAM = "BURNISH_LLAMA_QUANTIZE", "llama-quantize"
TIMEOUT_S = 4 * 3600


def check_quantiser(forms: Collection[str]) -> None:
    """Raises MissingTool: one of these forms is a K-quant, and the program is not here."""
    wanted = [form for form in forms if form.removeprefix("gguf-") in K_FORMATS]
    if wanted and _program() is None:
        raise MissingTool(
            f"{wanted[0]} is written by llama.cpp's {PROGRAM}, which is not here.",
            next_move=f"build llama.cpp and put {PROGRAM} on the PATH or its path into {VARIABLE}; "
            "gguf-q8_0 to gguf-q4_0 need no program",
        )


def quantise(source: Path, target: Path, number_format: KFormat) -> None:
    """Writes a float32 GGUF file in a K-quant.

    Raises MissingTool: the program is not here. Raises ParityError: it fails.
    """
    program = _program()
    if program is None:
        raise MissingTool(f"{PROGRAM} is not here.", next_move=f"put it on the PATH or its path into {VARIABLE}")
    command = [program, str(source), str(target), number_format.upper(), str(max(1, (os.cpu_count() or 2) // 2))]
    with disk_errors(target):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ParityError(f"{PROGRAM} does not end.", where=target.name, seen=f"{TIMEOUT_S} s") from error
    if done.returncode or not target.is_file():
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise ParityError(
            f"{PROGRAM} failed.", where=target.name, seen=f"exit code {done.returncode}: {''.join(last)[:200]}"
        )


def _program() -> str | None:
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else shutil.which(PROGRAM)
