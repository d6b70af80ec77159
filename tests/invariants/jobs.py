"""What the ranks of a test do: functions at the top of a module, so that another process finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from burnish.adapt import methods
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.files import read_jsonl
from burnish.core.records import Chat, Message
from burnish.core.run_folder import RunFolder
from burnish.core.world import World
from burnish.model.decoder import Decoder
from burnish.model.forest import Forest
from burnish.model.load import build_decoder
from burnish.objectives.dpo import DPO, cached, pair_logprobs
from burnish.objectives.packing import Strand, grow
from burnish.objectives.sft import SFT
from burnish.render.renderer import Rendered, make_renderer
from burnish.train.checkpoint import read_checkpoint, step_folder, steps_in
from burnish.train.guard import NotFinite
from burnish.train.loop import Rows, train, update
from burnish.train.rules import Plan
from burnish.train.settings import TrainSettings
from tests.descent import Descent
from tests.tiny import make_model, make_tokenizer
from tests.unit.objectives.test_dpo import PAIRS

CPU = torch.device("cpu")
TOKENIZER = make_tokenizer()
RULES = "the colour of the sky is blue and the grass is green; answer with one word or with a whole order"
COUNT = 24


def uneven_rows(count: int = COUNT) -> Rows[Rendered]:
    """Rows of very different lengths; two of three begin with one long system message, so that it can be shared."""
    renderer = make_renderer(TOKENIZER)
    rendered = []
    for number in range(count):
        asked = (
            Message("user", f"{number}: which colour?"),
            Message("assistant", "blue " * (1 + number * number % 17)),
        )
        talk = (Message("system", RULES), *asked) if number % 3 else asked
        rendered.append(renderer.row(Chat(str(number), talk)))
    return Rows(rendered, [f"rows.jsonl:{number + 1}" for number in range(count)])


def wide_decoder(adapt: AdaptSettings, *, tied: bool = True) -> Decoder:
    """A tiny decoder in float64, with an adapter that is no longer at its start: B = 0 would hide A's gradient."""
    model = make_model(len(TOKENIZER), tied=tied)
    decoder = build_decoder(model.config.to_dict(), dict(model.state_dict()), dtype=torch.float64, device=CPU)
    methods.apply(decoder, adapt, seed=0)
    for parameter in methods.trainable(decoder).values():
        parameter.data = parameter.data.double() + 0.01
    return decoder


@dataclass(frozen=True)
class Layout:
    """The supervised objective over a stated layout of the rows.

    separate: a forest for each row; packed: `forests` of them, every row a root; shared: equal beginnings stand once.
    """

    kind: Literal["separate", "packed", "shared"]
    forests: int

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        if self.kind == "separate":
            return SFT().passes(rows, tokens_per_pass=1)
        strands = [Strand(row.ids, row.weights, number) for number, row in rows]
        made = [grow(strands[first :: self.forests], share=self.kind == "shared") for first in range(self.forests)]
        shared = any(parent >= 0 for forest in made for parent in forest.parents)
        assert shared == (self.kind == "shared") or len(rows) == self.forests  # a row alone has nobody to share with
        return made

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return SFT().counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        return SFT().terms(model, forest)


def rows_of_cell(world: World, layout: Layout) -> int:
    """How many rows an update holds: with one row a pass, as many as there are passes."""
    return world.size * layout.forests if layout.kind == "separate" else COUNT


def one_update(world: World, adapt: AdaptSettings, layouts: Sequence[Layout]) -> list[tuple[dict[str, Any], float]]:
    """The gradient that the loop hands to the optimiser for each layout, and the loss that it notes."""
    rows = uneven_rows()
    found = []
    for layout in layouts:
        decoder = wide_decoder(adapt)
        parameters = methods.trainable(decoder)
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        plan = Plan(COUNT, 10, rows_of_cell(world, layout), 64, 1.0, 0, 10, 10)
        plain: Any = Descent(parameters)  # at rate 1 the step is the gradient
        settings = TrainSettings(clip=1e9, schedule="constant")
        line = update(decoder, parameters, plain, layout, rows, plan, settings, world, 0)
        gradient = {name: (before[name] - parameter.detach()).numpy() for name, parameter in parameters.items()}
        found.append((gradient, float(line["loss"])))
    return found


@dataclass(frozen=True)
class Taking:
    """An objective that notes which rows it was handed, and computes nothing."""

    taken: list[int]

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        self.taken.extend(number for number, _ in rows)
        return []

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return {"answer": 1.0}

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        raise AssertionError("there is nothing to compute")


def rows_taken(world: World, updates: int, rows_per_update: int) -> list[list[int]]:
    """The rows that this rank was handed in each update of an endless run over COUNT rows."""
    decoder = wide_decoder(LoRASettings(r=1))
    parameters = methods.trainable(decoder)
    plan = Plan(COUNT, updates, rows_per_update, 64, 1.0, 0, updates, updates)
    plain: Any = Descent(parameters)
    taken = []
    for step in range(updates):
        taking = Taking([])
        update(decoder, parameters, plain, taking, uneven_rows(), plan, TrainSettings(seed=5), world, step)
        taken.append(taking.taken)
    return taken


@dataclass(frozen=True)
class Poisoned:
    """The supervised objective with one bad row: its loss is NaN or infinite, or only its gradient is NaN."""

    row: int
    kind: Literal["loss NaN", "loss infinite", "gradient NaN"]

    def passes(self, rows: Sequence[tuple[int, Rendered]], tokens_per_pass: int) -> list[Forest]:
        return SFT().passes(rows, tokens_per_pass)

    def counts(self, passes: Sequence[Forest]) -> dict[str, float]:
        return SFT().counts(passes)

    def terms(self, model: Decoder, forest: Forest) -> dict[str, Tensor]:
        term = SFT().terms(model, forest)["answer"]
        if self.row in forest.target_row_N:
            # √0 is 0, and its slope is infinite: times the slope 0 of what stands under the root, NaN.
            term = term + {"loss NaN": term * torch.nan, "loss infinite": term * torch.inf,
                           "gradient NaN": (term * 0).sqrt()}[self.kind]  # fmt: skip
        return {"answer": term}


@dataclass(frozen=True)
class Outcome:
    """What a rank was left with: an error's text and place, whether weights are as after the step before, the lines of
    metrics, which steps lie on the disk, and all weights as one array."""

    error: str
    where: str
    lines: list[dict[str, Any]]
    steps: list[int]
    untouched: bool
    weights: Any


def train_poisoned(
    world: World, folder: str, poisoned: Poisoned, on_nan: str, rows_per_update: int, steps: int
) -> Outcome:
    """A run of a few steps over rows of which one is bad, with a checkpoint after every step."""
    rows, decoder = uneven_rows(), wide_decoder(LoRASettings(r=2, alpha=4))
    parameters = methods.trainable(decoder)
    start = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    plan = Plan(COUNT, steps, rows_per_update, 64, 1e-3, 0, steps, 1)
    settings = TrainSettings.model_validate({"on_nan": on_nan, "seed": 0})
    run = RunFolder(Path(folder))
    run.create()
    error, where = "", ""
    try:
        dev = Rows(rows.rendered[:1], rows.sources[:1])
        train(run, decoder, parameters, poisoned, rows, dev, plan, settings, world, lambda text: None)
    except NotFinite as caught:
        error, where = str(caught), caught.where
    done = steps_in(run.checkpoints) if run.checkpoints.is_dir() else []
    before = read_checkpoint(step_folder(run.checkpoints, done[-1])).weights if done else start
    untouched = all(torch.equal(parameter, before[name]) for name, parameter in parameters.items())
    lines = read_jsonl(run.metrics) if run.metrics.exists() else []
    flat = torch.cat([parameter.detach().flatten() for parameter in parameters.values()])
    return Outcome(error, where, lines, done, untouched, flat.numpy())


def one_pair_update(world: World, adapt: AdaptSettings, tokens_per_pass: Sequence[int]) -> list[dict[str, Any]]:
    """The gradient of an update of five preference pairs, for each size of a pass."""
    found = []
    for tokens in tokens_per_pass:
        decoder = wide_decoder(adapt)
        base = wide_decoder(FullSettings())
        parameters = methods.trainable(decoder)
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        pairs = [one.pair for one in PAIRS]
        rows = Rows(PAIRS, [str(one.number) for one in PAIRS])
        plan = Plan(len(PAIRS), 10, len(PAIRS), tokens, 1.0, 0, 10, 10)
        plain: Any = Descent(parameters)
        objective = DPO(cached(pair_logprobs(base, pairs, 10_000)))
        settings = TrainSettings(clip=1e9, schedule="constant")
        update(decoder, parameters, plain, objective, rows, plan, settings, world, 0)
        found.append({name: (before[name] - parameter.detach()).numpy() for name, parameter in parameters.items()})
    return found


def update_with_bad_pair(bad: int) -> None:
    """An update of five preference pairs, each in a pass of its own; the reference of one is not a number."""
    decoder = wide_decoder(LoRASettings(r=2))
    parameters = methods.trainable(decoder)
    known = [(torch.nan, 0.0) if one.number == bad else (0.0, 0.0) for one in PAIRS]
    rows = Rows(PAIRS, [f"pairs.jsonl:{one.number + 1}" for one in PAIRS])
    plan = Plan(len(PAIRS), 1, len(PAIRS), 1, 1.0, 0, 1, 1)
    plain: Any = Descent(parameters)
    update(decoder, parameters, plain, DPO(cached(known)), rows, plan, TrainSettings(), World(0, 1, CPU), 0)
