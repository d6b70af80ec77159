"""The train stage: rows and base → adapter (or model), metrics and training.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import torch

from burnish.adapt import methods
from burnish.core.events import record_event
from burnish.core.files import write_json
from burnish.core.hardware import peak_memory_mb
from burnish.deploy.merged import write_model_folder
from burnish.model.compiled import compiled_pointwise
from burnish.model.decoder import Decoder
from burnish.model.load import weight_count
from burnish.model.pointwise import PLAIN
from burnish.pipeline.lesson import make_draw, make_objective, read_lesson
from burnish.pipeline.protection import make_guards
from burnish.pipeline.scaling import beginning, choose_scale
from burnish.pipeline.workshop import Workshop
from burnish.train.loop import Progress, train
from burnish.train.probe import Probe, chosen_rate, probe_rates
from burnish.train.rules import Plan, make_plan


def train_stage(shop: Workshop, say: Callable[[str], None]) -> None:
    """Trains on data/train.jsonl, watching data/dev.jsonl. Never opens data/test.jsonl."""
    recipe, run = shop.recipe, shop.run
    lesson = read_lesson(shop)
    pointwise = compiled_pointwise(shop.world.device, shop.dtype, say) if recipe.train.compile else PLAIN
    decoder = shop.base_decoder(pointwise=pointwise, trains=True)
    methods.apply(decoder, recipe.adapt, seed=recipe.train.seed)
    if not methods.has_adapter(recipe.adapt) or recipe.model.weights != "dense":
        # What trains or stays is a copy: the file's pages need not stay. They are read again when asked for.
        shop.forget_checkpoint()
    decoder.recompute = recipe.train.recompute
    parameters = methods.trainable(decoder)
    plan = make_plan(
        recipe.train,
        recipe.adapt,
        rows=len(lesson.rows.rendered),
        longest=lesson.longest,
        width=decoder.config.width,
        objective=recipe.objective.type,
        in_order=recipe.data.order != "shuffled",
    )
    objective = make_objective(shop, decoder, lesson, plan, say)
    rates, guards = methods.rates(decoder, recipe.adapt), make_guards(shop, decoder, plan, say)
    draw = make_draw(shop, decoder, lesson, objective)
    start = beginning(shop, decoder)
    tried: list[Probe] = []
    if recipe.train.learning_rate == "probe":
        tried = probe_rates(run, decoder, parameters, objective, lesson.rows, lesson.dev, plan, recipe.train,
                            shop.world, say, rates=rates, guards=guards, draw=draw)  # fmt: skip
        plan = replace(plan, learning_rate=chosen_rate(tried, plan.learning_rate))
    trained = sum(parameter.numel() for parameter in parameters.values())
    total = weight_count(decoder) + (trained if methods.has_adapter(recipe.adapt) else 0)
    say(_announced(shop, plan, trained, total))
    if not shop.world.rank:  # for those who look on: how many updates there will be
        record_event(run.events, "training planned", steps=plan.steps, rows_per_update=plan.rows_per_update)
    progress = train(run, decoder, parameters, objective, lesson.rows, lesson.dev, plan, recipe.train, shop.world, say,
                     rates=rates, guards=guards, draw=draw)  # fmt: skip
    choice = choose_scale(shop, decoder, parameters, start, objective, lesson, plan, progress, say)
    if shop.world.rank:
        return  # rank 0 holds the same weights and writes them
    _save(shop, decoder)
    record = _record(shop, plan, progress, trained, total) | {"compiled": pointwise is not PLAIN, "choice": choice}
    write_json(run.training, record | ({"probe": [asdict(probe) for probe in tried]} if tried else {}))
    early = f", stopped early at {progress.step}" if progress.step < plan.steps else ""
    say(f"best on dev: {progress.best_loss:.3f} at step {progress.best_step}{early}")


def _announced(shop: Workshop, plan: Plan, trained: int, total: int) -> str:
    """What is about to train, in a line."""
    recipe = shop.recipe
    return (
        f"training {trained:,} of {total:,} weights ({recipe.adapt.type}) on {plan.rows} rows: {plan.steps} updates of "
        f"{plan.rows_per_update} rows, peak rate {plan.learning_rate:.2g}, products in {_short(shop.dtype)}"
        f"{'' if recipe.model.weights == 'dense' else f', base in {recipe.model.weights}'}"
    )


def _save(shop: Workshop, decoder: Decoder) -> None:
    if methods.has_adapter(shop.recipe.adapt):
        methods.save_adapter(decoder, shop.recipe.adapt, shop.run.adapter, base=shop.recipe.model.name)
        return
    tuned = {name: tensor.cpu() for name, tensor in methods.merged_tensors(decoder).items()}
    made, renderer = shop.checkpoint, shop.renderer
    write_model_folder(
        shop.run.model,
        made.config,
        tuned,
        made.tokenizer,
        template=renderer.template,
        generation=made.generation,
        stop_ids=renderer.stop_ids,
        dtype=torch.float32,
    )


def _record(shop: Workshop, plan: Plan, progress: Progress, trained: int, total: int) -> dict[str, object]:
    return {
        **asdict(plan),
        "method": shop.recipe.adapt.type,
        "objective": shop.recipe.objective.type,
        "protect": shop.recipe.protect.rungs.model_dump(mode="json", exclude_none=True),
        "dtype": _short(shop.dtype),
        "base_weights": shop.recipe.model.weights,
        "device": shop.world.device.type,
        "trainable": trained,
        "parameters": total,
        "steps_done": progress.step,
        "best_step": progress.best_step,
        "best_loss": progress.best_loss,
        "dev": [{"step": step, "loss": loss} for step, loss in progress.history],
        "peak_memory_mb": peak_memory_mb(),
    }


def _short(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")
