"""The guards that hold the weights themselves: which weights, from where, and how much each of them counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from burnish.adapt import lora, methods
from burnish.adapt.settings import AdaptSettings, LoRASettings
from burnish.core.errors import RecipeError
from burnish.guards.distance import LowRank, UpdatePenalty, WeightPenalty, keep_start
from burnish.guards.fisher import diagonal_fisher, factored_fisher
from burnish.guards.settings import EWCSettings, L2Settings, Rungs
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.objectives.sft import SFT
from burnish.recipe.recipe import Recipe
from burnish.render.renderer import Rendered
from burnish.train.work import Penalty

Say = Callable[[str], None]
Kind = L2Settings | EWCSettings


def _named(rungs: Rungs) -> list[tuple[str, Kind]]:
    return [(name, rung) for name, rung in (("l2", rungs.l2), ("ewc", rungs.ewc)) if rung is not None]


def check_distances(recipe: Recipe) -> None:
    """Raises RecipeError: a guard holds weights, and the method changes something else."""
    adapt = recipe.adapt
    lengths = isinstance(adapt, LoRASettings) and adapt.dora  # the change of the matrix is no product of two
    if not lengths and (isinstance(adapt, LoRASettings) or not methods.has_adapter(adapt)):
        return
    for name, _ in _named(recipe.protect.rungs):
        raise RecipeError(
            f"`protect.{name}` holds the model's matrices, and this method changes something else.",
            where="protect",
            seen="adapt.dora" if lengths else f"adapt.type {adapt.type}",
            next_move="use protect.kl or protect.self_replay, which go with every method",
        )


def make_penalties(
    rungs: Rungs, adapt: AdaptSettings, decoder: Decoder, own: Sequence[Rendered], tokens_per_pass: int, say: Say
) -> list[Penalty]:
    """The penalties of a decoder that stands at its start. `own`: the base's answers, which ewc asks about."""
    make = _of_updates if isinstance(adapt, LoRASettings) else _of_weights
    return [make(name, rung, decoder, own, tokens_per_pass, say) for name, rung in _named(rungs)]


def _of_updates(
    name: str, rung: Kind, decoder: Decoder, own: Sequence[Rendered], tokens_per_pass: int, say: Say
) -> Penalty:
    """What LoRA adds to each matrix."""
    layers = lora.layers(decoder)
    counted: dict[str, tuple[Tensor, Tensor]] = {}
    if isinstance(rung, EWCSettings):
        forests = SFT().passes(list(enumerate(own[: rung.rows])), tokens_per_pass)
        counted = factored_fisher(decoder, layers, forests, _loss)
    return UpdatePenalty(name, rung.weight, [_update(layer, counted.get(at)) for at, layer in layers.items()])


def _update(layer: lora.LoRALinear, counted: tuple[Tensor, Tensor] | None) -> LowRank:
    output_O, input_I = counted or (None, None)
    start = None if layer.start is None else (layer.start[1], layer.start[0])
    return LowRank(layer.lora_A, layer.lora_B, layer.scale, output_O, input_I, start)


def _of_weights(
    name: str, rung: Kind, decoder: Decoder, own: Sequence[Rendered], tokens_per_pass: int, say: Say
) -> Penalty:
    """The weights that train."""
    parameters = methods.trainable(decoder)
    start, fisher = keep_start(parameters), None
    if isinstance(rung, EWCSettings):
        answers = [forest for row in enumerate(own[: rung.rows]) for forest in SFT().passes([row], tokens_per_pass)]
        fisher = diagonal_fisher(decoder, parameters, answers, _loss)
    kept = sum(one.nbytes for one in (*start.values(), *(fisher or {}).values()))
    say(
        f"protect.{name} keeps {kept / 2**20:,.0f} MiB: the weights as they were"
        + (", what each counts" * bool(fisher))
    )
    return WeightPenalty(name, rung.weight, parameters, start, fisher)


def _loss(model: Decoder, forest: Forest) -> Tensor:
    return SFT().terms(model, forest)["answer"]
