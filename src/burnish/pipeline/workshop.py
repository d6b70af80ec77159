"""The model of a run, read once and shared by the stages: checkpoint, renderer, networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from burnish.adapt import methods
from burnish.core.errors import RecipeError
from burnish.core.files import sha256_of_tree
from burnish.core.run_folder import RunFolder
from burnish.core.world import World, compute_dtype, single_world
from burnish.evals.opponent_settings import ModelOpponent, RunOpponent
from burnish.evals.retention_settings import with_suites_from
from burnish.evals.settings import EvaluateSettings
from burnish.graders.settings import with_file_from
from burnish.model.checkpoint import Checkpoint, read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.load import build_decoder
from burnish.model.pointwise import PLAIN, Pointwise
from burnish.model.resolve import resolve
from burnish.model.settings import DEFAULT_CONTEXT, WeightsForm
from burnish.model.vocabulary import with_new_tokens
from burnish.pipeline.stages import finished
from burnish.pipeline.weights import base_packing
from burnish.recipe.recipe import Recipe, read_recipe
from burnish.render.renderer import Renderer, make_renderer


@dataclass
class Workshop:
    """A recipe with its model. Nothing is read before it is asked for."""

    recipe: Recipe
    base: Path
    run: RunFolder
    world: World = field(default_factory=single_world)

    @cached_property
    def path(self) -> Path:
        """The folder or file of the pretrained model."""
        return resolve(self.recipe.model.name, base=self.base)

    @cached_property
    def model_hash(self) -> str:
        return sha256_of_tree(self.path)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        return with_new_tokens(read_checkpoint(self.path), self.recipe.model.new_tokens)

    @cached_property
    def renderer(self) -> Renderer:
        return make_renderer(self.checkpoint.tokenizer, self.checkpoint.generation)

    @property
    def dtype(self) -> torch.dtype:
        return compute_dtype(self.recipe.model.dtype, self.world.device)

    @property
    def context(self) -> int:
        """Longest row in tokens."""
        longest = int(self.checkpoint.config.get("max_position_embeddings", DEFAULT_CONTEXT))
        return min(self.recipe.model.context or DEFAULT_CONTEXT, longest)

    @property
    def evaluation(self) -> EvaluateSettings:
        """The recipe's settings of evaluation, with the files of metric and suites named absolutely."""
        settings = self.recipe.evaluate
        retention = with_suites_from(settings.retention, self.base)
        return settings.model_copy(
            update={"metric": with_file_from(settings.metric, self.base), "retention": retention}
        )

    @property
    def data_seed(self) -> int:
        """Seed of the split and of all samples of data."""
        return self.recipe.train.seed if self.recipe.data.seed is None else self.recipe.data.seed

    @property
    def evaluation_seed(self) -> int:
        """Seed of everything that evaluation draws."""
        return self.recipe.train.seed if self.recipe.evaluate.seed is None else self.recipe.evaluate.seed

    def base_decoder(
        self, dtype: torch.dtype | None = None, pointwise: Pointwise = PLAIN, *, trains: bool = False,
        dense: bool = False,
    ) -> Decoder:  # fmt: skip
        """A new network with the pretrained weights in the form that `model.weights` names, or `dense`."""
        compute, device = dtype or self.dtype, self.world.device
        form: WeightsForm = "dense" if dense else self.recipe.model.weights
        return build_decoder(
            self.checkpoint.config,
            self.checkpoint.tensors,
            dtype=compute,
            device=device,
            pointwise=pointwise,
            packing=base_packing(form, self.checkpoint, dtype=compute, device=device, trains=trains),
            tokens=self.checkpoint.tokens,
            new_ids=self.checkpoint.new_ids,
        )

    def specialist(self, dtype: torch.dtype | None = None, *, dense: bool = False) -> Decoder:
        """A new network as training left it, read from the run's folder; with `dense`, its adapter on the dense base,
        which is what a merge makes."""
        if methods.has_adapter(self.recipe.adapt):
            decoder = self.base_decoder(dtype, dense=dense)
            methods.load_adapter(decoder, self.recipe.adapt, self.run.adapter)
            return decoder.requires_grad_(False)
        tuned = read_checkpoint(self.run.model)
        return build_decoder(
            tuned.config, tuned.tensors, dtype=dtype or self.dtype, device=self.world.device, tokens=tuned.tokens
        )

    @cached_property
    def others(self) -> dict[str, Workshop]:
        """Opponents on this machine that are not the base model, by arm: runs that lie beside this one, and models.

        Raises RecipeError: there is no such run, it is not trained, or it is this one.
        """
        return {
            one.arm: self._of_run(one.run) if isinstance(one, RunOpponent) else self._with_model(one.model)
            for one in self.recipe.evaluate.others
            if isinstance(one, RunOpponent | ModelOpponent)
        }

    def _of_run(self, name: str) -> Workshop:
        folder = RunFolder(self.run.path.parent / name)
        trained = folder.recipe.is_file() and finished(folder, "train")
        if not trained or folder.path.absolute() == self.run.path.absolute():
            raise RecipeError(
                "An opponent is this run itself." if trained else "An opponent is no run that was trained.",
                where="evaluate.opponents",
                seen=f"run: {name}, in {self.run.path.parent}",
                next_move="`burnish runs` lists what there is",
            )
        recipe, base = read_recipe(folder.recipe)
        return Workshop(recipe, base, folder, self.world)

    def _with_model(self, name: str) -> Workshop:
        model = self.recipe.model.model_copy(update={"name": name, "weights": "dense", "new_tokens": ()})
        return Workshop(self.recipe.model_copy(update={"model": model}), self.base, self.run, self.world)

    def forget_checkpoint(self) -> None:
        """Lets go of the pretrained weights. They are read again when asked for."""
        vars(self).pop("checkpoint", None)

    def weights_hash(self) -> str:
        """Hash of what training made."""
        folder = self.run.adapter if methods.has_adapter(self.recipe.adapt) else self.run.model
        return sha256_of_tree(folder)


@contextmanager
def just(decoder: Decoder) -> Iterator[Decoder]:
    """A network as a context that changes nothing."""
    yield decoder
