"""What rounding takes of what training changed: a forecast from the weights alone, before anything is written, and the
share of the tuned effect that a rounded copy still has.

Names: W a matrix of the base, ΔW what training added to it, Q the nearest point of a number format's grid; P places in
the reference's answers, K tokens compared at each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from gguf.quants import dequantize, quantize
from torch import Tensor

from burnish.deploy.answers import Answer
from burnish.deploy.gguf_write import NumberFormat, tensor_type
from burnish.deploy.parity import LEAST_EFFECT, Limits
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.gguf_inverse import gguf_name

ADVISED_AGAINST = 0.25  # of the update lost on the grid: from here on the console says what else can be done
NO_EFFECT = 1e-4  # nats, root mean square: less than the noise of float32 sums has no share worth the name

Grid = Callable[[str, Tensor], Tensor]  # name and weight → the weight that a file in some format would hold, float32


@dataclass(frozen=True)
class Forecast:
    """What of an update arrives on a grid; ⟨·,·⟩ is the sum of products over all changed matrices.

    With D = Q(W + ΔW) - Q(W), what the rounded model changes against the rounded base:
    lost = 1 - ⟨D, ΔW⟩ / ⟨ΔW, ΔW⟩, the least-squares share of ΔW that is missing from D: 0 when D = ΔW plus something
    orthogonal to it, 1 when every weight falls back on the point of the base.
    noise = ‖D - (1 - lost) ΔW‖² / ‖ΔW‖², the energy of all else in D. Weights that lie anywhere between two points are
    rounded up as often as the update is large: on average nothing is lost and all turns into noise. Weights that lie on
    the points, as those of a base that was already rounded do, lose whatever is under half a step.
    """

    lost: float
    noise: float
    matrices: int

    def text(self, form: str, grid: str) -> str:
        """One line for the console."""
        advice = ""
        if self.lost > ADVISED_AGAINST:
            advice = ": keep the adapter, or merge into " + ("float32" if grid == "bfloat16" else "gguf-f16")
        return (
            f"{form}: forecast: {max(self.lost, 0):.0%} of the update would round away in the {grid} grid, with "
            f"rounding noise of {self.noise:.2g} times its energy{advice}"
        )


def forecast(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor], grid: Grid) -> Forecast | None:
    """One matrix at a time, in float64 sums. None: training changed no matrix that both have."""
    kept = energy = arrived = 0.0
    matrices = 0
    for name, wanted in tuned.items():
        if wanted.dim() < 2 or name not in base or base[name].shape != wanted.shape:
            continue
        before = base[name].float().cpu()
        update = wanted.float().cpu() - before
        if not update.any():
            continue
        change = grid(name, wanted.float().cpu()) - grid(name, before)
        kept += float((change.double() * update).sum())
        energy += float(update.double().square().sum())
        arrived += float(change.double().square().sum())
        matrices += 1
    if not matrices:
        return None
    share = kept / energy
    return Forecast(lost=1 - share, noise=max(arrived / energy - share**2, 0.0), matrices=matrices)


def gguf_grid(number_format: NumberFormat, model_type: str) -> Grid:
    """What write_gguf writes. Blocks lie along rows, so the order of rows, which GGUF changes, changes no value."""

    def on_grid(name: str, weight: Tensor) -> Tensor:
        kind = tensor_type(gguf_name(name, model_type), tuple(weight.shape), number_format)
        return torch.from_numpy(dequantize(quantize(weight.contiguous().numpy(), kind), kind)).view(weight.shape)

    return on_grid


def float_grid(dtype: torch.dtype) -> Grid:
    """What a folder in a 16-bit float holds."""
    return lambda _, weight: weight.to(dtype).float()


def rounded(tensors: Mapping[str, Tensor], grid: Grid) -> dict[str, Tensor]:
    """All matrices on the grid; vectors are written as they are."""
    return {
        name: grid(name, tensor.float().cpu()) if tensor.dim() > 1 else tensor.float()
        for name, tensor in tensors.items()
    }


@torch.no_grad()
def listed_logprobs(decoder: Decoder, answers: Sequence[Answer]) -> Tensor:
    """(P, K) log-probabilities of the tokens that the reference lists at each place of its answers."""
    found = []
    for answer in answers:
        read = [*answer.prompt, *answer.tokens[:-1]]
        forest = plant([Segment(read, [0.0] * len(read))]).to(decoder.device)
        logits = decoder.logits(decoder.hidden(forest)[len(answer.prompt) - 1 :])
        ids = torch.tensor([[token for token, _ in place] for place in answer.places], device=logits.device)
        found.append(logits.log_softmax(-1).gather(1, ids))
    return torch.cat(found)


@dataclass(frozen=True)
class Survived:
    """share: ⟨e, E⟩ / ⟨E, E⟩ with E the tuned effect, log-probabilities after training minus before, and e the same of
    the rounded pair. noise: the energy of what e holds besides, as a share of E's. effect: root mean square of E in
    nats. None: there was no effect."""

    share: float | None
    noise: float | None
    effect: float

    def text(self) -> str:
        if self.share is None or self.noise is None:
            return "training changed no log-probability"
        return (
            f"{max(self.share, 0):.0%} of the tuned effect ({self.effect:.2g} nats) survived the rounding, with noise "
            f"of {self.noise:.2g} times its energy"
        )


def survived(effect_P_K: Tensor, rounded_P_K: Tensor) -> Survived:
    """`effect_P_K`: tuned minus base; `rounded_P_K`: the rounded tuned minus the rounded base."""
    whole, part = effect_P_K.double().flatten(), rounded_P_K.double().flatten()
    energy = float(whole @ whole)
    size = math.sqrt(energy / len(whole))
    if size <= NO_EFFECT:
        return Survived(None, None, size)
    share = float(part @ whole) / energy
    return Survived(share, float((part - share * whole).square().sum()) / energy, size)


def with_survival(found: dict[str, Any], seen: Survived, limits: Limits) -> dict[str, Any]:
    """A form's line of parity.json with the measured share; under the limit for `effect_kept` the form fails, unless
    the effect itself is less than LEAST_EFFECT."""
    line = found | {"survived": asdict(seen)}
    if seen.share is None or seen.effect < LEAST_EFFECT or seen.share >= limits.effect_kept:
        return line
    why = f"{max(seen.share, 0):.0%} of the tuned effect survived the rounding, under {limits.effect_kept:.0%}"
    return line | {"status": "failed", "why": "; ".join(filter(None, [found["why"], why]))}
