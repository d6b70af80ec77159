"""A model on this machine that makes rows for train, where the recipe names one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from burnish.core.asking import Asked, Model, Writer
from burnish.core.files import sha256_of_tree
from burnish.core.world import World, compute_dtype
from burnish.data.grow.local import Local, local_asker
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.model.arranged import arrange
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.model.resolve import resolve
from burnish.render.renderer import make_renderer


def local_writer(name: str, base: Path, world: World) -> Writer:
    """The model of that name, known by the hash of its files. It is read when it is first asked.

    Raises ModelError: there is no such model.
    """
    path = resolve(name, base=base)
    shown = path.name if (base / Path(name).expanduser()).exists() else name
    return Writer(Model(shown, sha256=sha256_of_tree(path)), local_asker(lambda: _load(path, world)))


def _load(path: Path, world: World) -> Local:
    checkpoint = read_checkpoint(path)
    renderer = make_renderer(checkpoint.tokenizer, checkpoint.generation)
    dtype = compute_dtype("auto", world.device)
    made = build_decoder(
        checkpoint.config, checkpoint.tensors, dtype=dtype, device=world.device, tokens=checkpoint.tokens
    )
    decoder = arrange(made)

    def complete(asked: Sequence[tuple[tuple[int, ...], Asked]]) -> list[tuple[Sequence[int], bool]]:
        requests = [Request(prompt, one.max_new_tokens, one.temperature, one.seed) for prompt, one in asked]
        found = generate(decoder, requests, stop_ids=renderer.stop_ids)
        return [(one.tokens, one.stopped) for one in found]

    return Local(renderer, decoder.config.context, complete)
