"""Pickles under every name that some program opens: the code inside is never run, whichever command meets them."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random

from tests.bad_inputs.case import Case, Made, Refused, Survived, good_lines, run_of
from tests.bad_inputs.weights import FILE, INDEX, model_copy

ROWS = "rows.jsonl"
PREPARE = ("prepare", "--model", "{data}/model", "--data", "{data}/rows.jsonl", "--out", "{runs}", "--name", "r")
SHOW = ("show", "{data}/rows.jsonl", "--model", "{data}/model")
TRAIN = ("train", *PREPARE[1:], "--set", "train.steps=1")
CHAT = ("chat", "r", "--out", "{runs}", "--max-new-tokens", "2")


class Canary:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


def poison(folder: Path) -> bytes:
    """A plain pickle; its canary lies beside the files of the case, where nothing may be written."""
    return pickle.dumps(Canary(folder / "canary"))


def zipped(folder: Path) -> bytes:
    """The same as torch.save lays it out."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", poison(folder))
        archive.writestr("archive/version", "3")
    return content.getvalue()


def rows(folder: Path) -> None:
    (folder / ROWS).write_bytes(b"\n".join(good_lines()))


def in_place_of_weights(name: str, command: Sequence[str], folder: Path, rng: Random) -> Made:
    """The model has its weights under this name alone."""
    rows(folder)
    model = model_copy(folder)
    (model / FILE).unlink()
    (model / name).write_bytes(rng.choice([poison, zipped])(folder))
    return Made("", Refused(["weights"], 2), command=command)


def behind_an_index(folder: Path, rng: Random) -> Made:
    rows(folder)
    model = model_copy(folder)
    (model / FILE).unlink()
    (model / "pytorch_model-00001-of-00001.bin").write_bytes(zipped(folder))
    (model / INDEX).write_text(json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}))
    return Made("", Refused(["index"], 2), command=PREPARE)


def beside(name: str, command: Sequence[str], folder: Path, rng: Random) -> Made:
    """A sound model with this file added or replaced."""
    rows(folder)
    (model_copy(folder) / name).write_bytes(poison(folder))
    return Made("", Survived(), command=command)


def as_data(name: str, folder: Path, rng: Random) -> Made:
    (folder / name).write_bytes(rng.choice([poison, zipped])(folder))
    return Made(name, Refused([]))


def as_array(folder: Path, rng: Random) -> Made:
    """What numpy.save makes of objects."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    head = header + b" " * (117 - len(header)) + b"\n"
    (folder / "rows.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + poison(folder))
    return Made("rows.npy", Refused([]))


def in_the_run(name: str, command: Sequence[str], folder: Path, rng: Random) -> Made:
    """A file of a trained run replaced by a pickle."""
    for path in sorted(run_of(folder).glob(name)):
        path.write_bytes(poison(folder))
    return Made("", Survived(), command=command)


def added_to_checkpoints(folder: Path, rng: Random) -> Made:
    """What other trainers leave beside weights, in every checkpoint of a run that goes on training."""
    run = run_of(folder)
    shutil.rmtree(run / "adapter")
    for step in (run / "checkpoints").iterdir():
        for name in ("rng_state.pth", "optimizer.pt", "scheduler.pt", "training_args.bin"):
            (step / name).write_bytes(zipped(folder))
    return Made("", Survived(), command=("train", "r", "--out", "{runs}"))


def as_recipe(command: Sequence[str], folder: Path, rng: Random) -> Made:
    (folder / "recipe.yaml").write_bytes(poison(folder))
    return Made("", Refused([], (2, 3)), command=command)


WEIGHTS: Mapping[str, Sequence[str]] = {
    "pytorch_model.bin": PREPARE, "model.pt": SHOW, "model.pth": TRAIN, "model.ckpt": PREPARE, "model.pkl": TRAIN,
    "model.safetensors": SHOW,
}  # fmt: skip
BESIDE: Mapping[str, Sequence[str]] = {
    "training_args.bin": TRAIN, "rng_state.pth": SHOW, "tokenizer.json": PREPARE, "tokenizer_config.json": SHOW,
    "config.json": PREPARE, "generation_config.json": TRAIN, "chat_template.jinja": PREPARE,
    "special_tokens_map.json": SHOW,
}  # fmt: skip
RUN: Mapping[str, Sequence[str]] = {
    "adapter/adapter_model.safetensors": CHAT,
    "stages.json": ("evaluate", "r", "--out", "{runs}"),
    "items.jsonl": ("verdict", "r", "--out", "{runs}", "--recompute"),
    "checkpoints/*/*": ("train", "r", "--out", "{runs}", "--fresh"),
}
CASES = (
    *(Case(f"a pickle as {name}", partial(in_place_of_weights, name, how)) for name, how in WEIGHTS.items()),
    Case("a pickle behind an index of safetensors", behind_an_index),
    *(Case(f"a pickle as {name} of a model", partial(beside, name, how)) for name, how in BESIDE.items()),
    *(Case(f"a pickle as data: {name}", partial(as_data, name)) for name in ("rows.pkl", "rows.pt", "rows.parquet")),
    Case("a pickle in an array of numpy", as_array),
    *(Case(f"a pickle as {name} of a run", partial(in_the_run, name, how), run=True) for name, how in RUN.items()),
    Case("pickles of other trainers in a checkpoint", added_to_checkpoints, run=True),
    Case("a pickle as a recipe", partial(as_recipe, ("run", "{data}/recipe.yaml", "--out", "{runs}"))),
)
