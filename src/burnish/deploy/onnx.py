"""The form `onnx`: the merged model as onnxruntime loads it, in float32, held against the trained model there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from burnish.core.errors import ParityError
from burnish.core.files import disk_errors
from burnish.deploy import optimum
from burnish.deploy.checks import Question, found_by
from burnish.deploy.merged import copy_terms
from burnish.deploy.parity import EXACT
from burnish.deploy.transformers_4 import rewrite_folder

FOLDER = "onnx"
# What goes along is what Burnish wrote: optimum's copies of these have passed through another version's habits.
BESIDE = ("generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def onnx_form(out: Path, write_merged: Callable[[Path], None], terms: Path, question: Question) -> dict[str, Any]:
    """Writes onnx/ into `out` and checks it. `write_merged` writes the merged folder in float32, which is deleted
    again; `terms`: where the base's licence lies.

    Raises MissingTool: optimum is not here.
    """
    source, target = out / "onnx-source", out / FOLDER
    try:
        write_merged(source)
        rewrite_folder(source)
        optimum.export_onnx(source, target)
        _complete(source, target, terms)
        found = optimum.ask(target, question.conversations, question.answers, max_new_tokens=question.max_new_tokens)
    except ParityError as error:
        return {"file": FOLDER, "status": "failed", "why": f"{error.what} {error.seen}"}
    finally:
        shutil.rmtree(source, ignore_errors=True)
    return {"file": FOLDER, "dtype": "float32", **found_by(found, EXACT, question)}


def _complete(source: Path, target: Path, terms: Path) -> None:
    """Leaves the network and its configuration of what optimum wrote, and puts our own files beside them."""
    with disk_errors(target):
        for path in target.iterdir():
            if path.suffix not in (".onnx", ".onnx_data") and path.name != "config.json":
                path.unlink()
        for name in BESIDE:
            shutil.copyfile(source / name, target / name)
    copy_terms(terms, target)
