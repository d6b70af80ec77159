"""Burnish from Python: `run`, `load` and `Run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from burnish.adapt import methods
from burnish.core.errors import RecipeError
from burnish.core.records import Message
from burnish.core.run_folder import RunFolder
from burnish.core.settings import Document, build
from burnish.evals.verdict import read_verdict
from burnish.evals.verdict_records import Verdict
from burnish.generate.engine import stream
from burnish.generate.request import Request
from burnish.model.decoder import Decoder
from burnish.pipeline.find import existing_run
from burnish.pipeline.repeat import repeat
from burnish.pipeline.run import run_stages
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import Recipe, default_name, expand, read_recipe, with_level

RUNS = Path("runs")
Turns = str | Sequence[Message] | Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Run:
    """A run that was made before: its verdict, and its specialist to talk to."""

    folder: RunFolder

    @property
    def verdict(self) -> Verdict:
        """What evaluation found. Raises BurnishError: the run was not evaluated yet."""
        return read_verdict(self.folder)

    def chat(self, turns: Turns, *, base: bool = False, max_new_tokens: int = 512, temperature: float = 0.0) -> str:
        """The specialist's answer to a question or a conversation; with `base` the model's before training."""
        pieces = self.stream(turns, base=base, max_new_tokens=max_new_tokens, temperature=temperature)
        return "".join(pieces)

    def stream(
        self, turns: Turns, *, base: bool = False, max_new_tokens: int = 512, temperature: float = 0.0
    ) -> Iterator[str]:
        """`chat`, piece by piece as the model writes. Both arms read the same prompt."""
        renderer = self._shop.renderer
        prompt = tuple(renderer.prompt(_messages(turns)))
        room = self._specialist.config.context - len(prompt)
        if room < 1:
            raise RecipeError("The conversation is longer than the model's context.", seen=f"{len(prompt)} tokens")
        request = Request(prompt, min(max_new_tokens, room), temperature)
        said = ""
        ids: list[int] = []
        for token in self._tokens(request, base):
            ids.append(token)
            text = renderer.decode(ids)
            if not text.endswith("\ufffd"):  # a character may be spread over several tokens
                yield text[len(said) :]
                said = text

    def _tokens(self, request: Request, base: bool) -> Iterator[int]:
        stop_ids = self._shop.renderer.stop_ids
        if not base:
            yield from stream(self._specialist, request, stop_ids=stop_ids)
        elif methods.has_adapter(self._shop.recipe.adapt):
            with methods.switched_off(self._specialist) as decoder:
                yield from stream(decoder, request, stop_ids=stop_ids)
        else:
            yield from stream(self._base, request, stop_ids=stop_ids)

    @cached_property
    def _shop(self) -> Workshop:
        recipe, base = read_recipe(self.folder.recipe)
        return Workshop(recipe, base, self.folder)

    @cached_property
    def _specialist(self) -> Decoder:
        return self._shop.specialist(torch.float32)

    @cached_property
    def _base(self) -> Decoder:
        return self._shop.base_decoder(torch.float32)


def _messages(turns: Turns) -> list[Message]:
    if isinstance(turns, str):
        return [Message("user", turns)]
    return [turn if isinstance(turn, Message) else Message(turn["role"], turn["content"]) for turn in turns]  # type: ignore[arg-type]


def run(
    recipe: str | Path | None = None, *, runs: Path = RUNS, fresh: bool = False, seeds: int = 1, **groups: Any
) -> Run:
    """Makes a specialist: `burnish.run(model="smollm2-135m", data="tickets.jsonl", train={"epochs": 2})`.

    `groups` are the groups of a recipe, in its short or long forms. Goes on where an earlier call stopped. With several
    `seeds` it is trained again for each further one, and the verdict shows the spread.
    """
    if recipe is not None and groups:
        raise RecipeError("Give a recipe file or groups, not both.", seen=", ".join(groups))
    if recipe is not None:
        made, base = read_recipe(Path(recipe))
    else:
        made, base = with_level(build(Recipe, expand(Document(groups, {}, "burnish.run")))), Path.cwd()
    folder = RunFolder(runs / (made.name or default_name(made, None)))
    run_stages(made, base, folder, fresh=fresh, say=print, show=lambda shop: None)
    if seeds > 1:
        repeat(made, base, folder, seeds=seeds, upto="export", whole=True, fresh=fresh, say=print)
    return Run(folder)


def load(name: str | Path, *, runs: Path = RUNS) -> Run:
    """A run by its name or its folder. Raises RecipeError: there is none."""
    return Run(existing_run(str(name), runs))
