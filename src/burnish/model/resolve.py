"""From what a person writes as `model:` to a folder or a .gguf file on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from burnish.core.errors import ModelError
from burnish.core.panics import as_model_error
from burnish.model.bundled import BUNDLED, bundled_path

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
HUB_FILES = [
    "config*.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "vocab*",
    "merges.txt",
    "*.safetensors",
    "*.safetensors.index.json",
]
HUB_NOT = ["*/*", "consolidated*"]  # second copies of the same weights, laid out for other programs


def resolve(name: str, *, base: Path | None = None) -> Path:
    """A bundled name, a folder, a .gguf file, or a hub id such as `org/name`, in this order.

    `base` is the folder against which relative paths are read (a recipe's own), else the current one. A hub model comes
    into the hub's own cache, weights as safetensors only; HF_ENDPOINT and HF_HUB_OFFLINE hold.

    Raises ModelError: there is no such model, or it cannot be fetched now.
    """
    if name in BUNDLED:
        path = bundled_path(name)
        if path is None:
            raise ModelError(
                f"The model {name} is not on this machine yet.",
                where="the cache of bundled models",
                next_move=f"burnish fetch {name}",
            )
        return path
    path = (base or Path()) / _at_home(name)
    if name and path.is_dir() and not (path / "config.json").is_file():
        # Asked before anything looks through the folder: it may be any folder.
        raise ModelError(
            "The model folder has no config.json.",
            where=str(path),
            next_move="this is not a model folder: save the model with `save_pretrained`",
        )
    if (name and path.is_dir()) or (path.is_file() and path.suffix == ".gguf"):
        return path.resolve()
    if path.is_file():
        raise ModelError(
            "A model is a folder or a .gguf file.", where=str(path), next_move="name the folder that holds the file"
        )
    if HUB_ID.fullmatch(name):
        return _from_hub(name)
    raise ModelError(
        "There is no such model.",
        where=str(path),
        seen=name,
        next_move=f"write a bundled name ({', '.join(BUNDLED)}), a folder, a .gguf file or a hub id such as org/name",
    )


def _at_home(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # "~someone" whom this machine does not know
        return Path(name)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    # Below the hub's client lies an HTTP client of its own choice, whose errors have no base in common.
    with as_model_error(lambda error: _hub_error(name, error)):
        return Path(snapshot_download(name, allow_patterns=HUB_FILES, ignore_patterns=HUB_NOT))


def _hub_error(name: str, error: BaseException) -> ModelError:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        what = f"The hub model {name} asks for its terms to be accepted first."
        next_move = "accept them on the model's page, then run `hf auth login`"
    elif isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        what, next_move = f"There is no model {name}, here or on the hub.", "check the name"
    elif isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        what = f"The hub model {name} is not on this machine, and the hub cannot be reached."
        next_move = "connect (or unset HF_HUB_OFFLINE) and run the same command again"
    else:
        what = f"The hub model {name} could not be downloaded."
        next_move = "run the same command again: it goes on where it stopped"
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ModelError(what, where=name, seen=first_line[:200], next_move=next_move)
