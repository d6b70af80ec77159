"""The judge of free text that a recipe names: a model on this machine, or one at an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burnish.core.files import sha256_of_tree
from burnish.core.world import World, compute_dtype
from burnish.evals.judge.asking import Judge, served_judge
from burnish.evals.judge.local import local_judge
from burnish.evals.judge.settings import JudgeSettings
from burnish.model.arranged import arrange
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.model.resolve import resolve
from burnish.render.renderer import Renderer, make_renderer

HOW_FAST = ("concurrent", "timeout_s", "key_from")  # settings that change no reply


def make_judge(settings: JudgeSettings, base: Path, world: World) -> Judge:
    """Known by the hash of its files, or by its name and address. A model is read when it is first asked.

    Raises ModelError: there is no such model. DataError: the environment variable of the key is not set.
    """
    if settings.address is not None:
        return _served(settings, settings.address)
    path = resolve(settings.model, base=base)
    shown = path.name if (base / Path(settings.model).expanduser()).exists() else settings.model
    return local_judge(shown, sha256_of_tree(path), lambda: _load(path, world))


def _served(settings: JudgeSettings, address: str) -> Judge:
    from burnish.core.asking import Model
    from burnish.core.http_json import Keys, Server
    from burnish.core.openai import key_from, openai_asker  # sockets and TLS

    place = "evaluate.judge"
    keys = Keys(
        address=f"{place}.address",
        model=f"{place}.model",
        key=f"{place}.key_from",
        timeout=f"{place}.timeout_s",
        length=f"{place}.max_new_tokens",
    )
    server = Server(address, key_from(settings.key_from, where=keys.key), settings.timeout_s, keys=keys)
    ask = openai_asker(server, Model(settings.model, address=address), concurrent=settings.concurrent)
    return served_judge(settings.model, address, ask, settings.max_new_tokens)


def check_judge(settings: JudgeSettings, base: Path) -> None:
    """Before hours of training rather than after. Raises as `make_judge`; nothing is sent."""
    if settings.address is not None:
        _served(settings, settings.address)
    else:
        resolve(settings.model, base=base)


def judge_inputs(settings: JudgeSettings, base: Path) -> dict[str, Any]:
    """What a reply depends on, for telling whether a stage is done; a model on this machine by its hash."""
    inputs = settings.model_dump(mode="json", exclude=set(HOW_FAST))
    if settings.address is None:
        inputs["model"] = sha256_of_tree(resolve(settings.model, base=base))
    return inputs


def _load(path: Path, world: World) -> tuple[Decoder, Renderer]:
    checkpoint = read_checkpoint(path)
    dtype = compute_dtype("auto", world.device)
    decoder = build_decoder(
        checkpoint.config, checkpoint.tensors, dtype=dtype, device=world.device, tokens=checkpoint.tokens
    )
    return arrange(decoder), make_renderer(checkpoint.tokenizer, checkpoint.generation)
