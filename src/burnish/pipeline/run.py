"""The four stages in order, each skipped when it is done and refused when its inputs changed."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from burnish.adapt import methods
from burnish.core import hardware
from burnish.core.errors import BurnishError, DataError, Stopped
from burnish.core.events import record_event
from burnish.core.files import read_json, sha256_of_file, sha256_of_tree, write_json
from burnish.core.ranks import is_first
from burnish.core.run_folder import RunFolder
from burnish.core.world import join_world, single_world
from burnish.evals.retention_settings import suite_files
from burnish.evals.suite_file import check_suites
from burnish.graders.ready import check_metric
from burnish.graders.settings import file_of
from burnish.model.decoder import Decoder
from burnish.model.resolve import resolve
from burnish.pipeline import stages
from burnish.pipeline.judging import check_judge, judge_inputs, make_judge
from burnish.pipeline.lesson import row_lengths
from burnish.pipeline.opponents import check_named, check_with_data, hashes
from burnish.pipeline.retraining import first_training
from burnish.pipeline.training import train_stage
from burnish.pipeline.weights import check_weights
from burnish.pipeline.workshop import Workshop, just
from burnish.recipe.recipe import Recipe, write_recipe
from burnish.train.guard import NotFinite
from burnish.train.progress import duration

# What a run may go on with another value of, as with another number of ranks: it changes no result beyond rounding.
FREE_TO_CHANGE = ("train.tokens_per_pass", "train.recompute", "train.save_every", "train.on_nan")
# Settings of data that stand among the inputs as the hash of their file, or that change nothing.
NOT_INPUTS = ("instructions", "train", "test", "dev", "review", "licence", "seed")
NOT_INPUTS_OF_GROWING = {"documents", "key_env", "concurrent", "timeout_s"}
PACKAGES = ("burnish", "torch", "transformers", "peft", "tokenizers", "safetensors", "gguf", "polars", "scipy")
Say = Callable[[str], None]


def run_stages(
    recipe: Recipe,
    base: Path,
    folder: RunFolder,
    *,
    upto: str = "export",
    whole: bool = True,
    fresh: bool = False,
    say: Say,
    show: Callable[[Workshop], None],
) -> None:
    """Does every stage up to and with `upto`. `fresh` does `upto` again, or everything when the run is `whole`.

    `show` is called once the data is ready, to show a person one row.
    """
    world = join_world() if upto != "prepare" else single_world()
    if not is_first():
        if world.size > 1:
            _take_part(Workshop(recipe, base, folder, world))
        return
    new = not folder.path.exists()
    folder.create()
    try:
        with folder.lock():
            _run_stages(Workshop(recipe, base, folder, world), upto, "prepare" if whole else upto, fresh, say, show)
    except BurnishError:
        results = [folder.replies, *(path for stage in stages.STAGES for path in stages.outputs(folder, stage))]
        if new and not any(path.exists() for path in results):
            shutil.rmtree(folder.path)  # nothing came of it: leave no empty run behind
        raise


def _run_stages(
    shop: Workshop, upto: str, first_fresh: str, fresh: bool, say: Say, show: Callable[[Workshop], None]
) -> None:
    folder = shop.run
    wanted = stages.STAGES[: stages.STAGES.index(upto) + 1]
    if "train" in wanted:
        check_weights(shop.recipe, shop.path)
    if "evaluate" in wanted:  # now, not after hours of training
        check_metric(shop.evaluation.metric)
        check_named(shop)
        check_suites(shop.evaluation.retention)
        if shop.evaluation.judge is not None:
            check_judge(shop.evaluation.judge, shop.base)
    if "export" in wanted and (fresh or not stages.finished(folder, "export")):
        _check_programs(shop)
    for stage in wanted:
        if stage == "train" and "evaluate" in wanted:
            check_with_data(shop)
        inputs = {"burnish": version("burnish"), **INPUTS[stage](shop)}
        again = fresh and stages.STAGES.index(stage) >= stages.STAGES.index(first_fresh)
        begins = stages.begin(folder, stage, inputs, fresh=again)
        if stage == "train":
            shop.world.first("train" if begins else "done before")
        if begins:
            _note_beginning(shop)  # not before: a refused recipe must not take the place of the one that was used
            _do(stage, shop, say)
        else:
            say(f"{stage}: done before")
        if stage == "train":
            shop.world.leave()
        if stage == "prepare" and begins:
            show(shop)


def _take_part(shop: Workshop) -> None:
    """What the other ranks do: wait until rank 0 has prepared the data, train with it, and leave the rest to it."""
    if shop.world.first("") == "train":
        try:
            train_stage(shop, lambda text: None)
        except (NotFinite, Stopped) as error:
            raise SystemExit(error.exit_code) from error  # all ranks alike, and rank 0 says it
    shop.world.leave()


def _do(stage: str, shop: Workshop, say: Say) -> None:
    say(f"── {stage} " + "─" * (60 - len(stage)))
    started = time.monotonic()
    record_event(shop.run.events, f"{stage} begins")
    try:
        STAGE[stage](shop, say)
    except BaseException as error:
        stages.note_time(shop.run, stage, started)
        record_event(shop.run.events, f"{stage} stops", why=type(error).__name__)
        if isinstance(error, KeyboardInterrupt):
            raise Stopped(
                f"Interrupted during {stage}; what was finished is kept.",
                where=str(shop.run.path),
                next_move="run the same command again to go on",
            ) from error
        raise
    seconds = stages.finish(shop.run, stage, started)
    hashes = {path.name: sha256_of_tree(path) for path in stages.outputs(shop.run, stage) if path.exists()}
    record_event(shop.run.events, f"{stage} ends", seconds=seconds, outputs=hashes)
    say(f"{stage}: {duration(seconds)}")


def _note_beginning(shop: Workshop) -> None:
    """recipe.yaml and environment.json."""
    write_recipe(shop.recipe, shop.base, shop.run.recipe)
    environment = {
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": hardware.describe(),
        "threads": torch.get_num_threads(),
        "ranks": shop.world.size,
        "device": shop.world.device.type,
        "mode": "deterministic: same machine and seed give the same bytes" if shop.world.device.type == "cpu"
        else "not deterministic on this device",
        "seed": shop.recipe.train.seed,
        "model": {
            "name": shop.recipe.model.name, "sha256": shop.model_hash, "weights": shop.recipe.model.weights,
        },
    }  # fmt: skip
    write_json(shop.run.environment, environment)


def _prepare_inputs(shop: Workshop) -> dict[str, Any]:
    data = shop.recipe.data
    named = (data.test, data.dev, data.review, data.grow.documents)
    names = [*data.train_files, *data.decontaminate, *(name for name in named if name)]
    paths = [path for name in names if "://" not in name for path in _named(shop.base / Path(name).expanduser())]
    hashes = {f"file {path.name}": _hash_of(path) for path in paths}
    settings = stages.flatten(
        data.model_dump(mode="json", exclude={**dict.fromkeys(NOT_INPUTS, True), "grow": NOT_INPUTS_OF_GROWING}), "data"
    )
    if data.grow.model is not None and data.grow.address is None:
        settings["data.grow.model"] = sha256_of_tree(resolve(data.grow.model, base=shop.base))
    settings["data.weights"] = [source.weight for source in data.train_sources]
    if shop.recipe.evaluate.groups:
        settings["evaluate.groups"] = list(shop.recipe.evaluate.groups)
    return {"model": shop.model_hash, "train.seed": shop.data_seed, "model.context": shop.recipe.model.context,
            **_new_tokens(shop), **hashes, **settings}  # fmt: skip


def _new_tokens(shop: Workshop) -> dict[str, Any]:
    names = shop.recipe.model.new_tokens
    return {"model.new_tokens": list(names)} if names else {}


def _hash_of(path: Path) -> str:
    """Raises DataError: a file of the data cannot be read."""
    try:
        return sha256_of_tree(path)
    except OSError as error:
        raise DataError(
            "The file cannot be read.",
            where=str(error.filename or path),
            seen=error.strerror or str(error),
            next_move="check its permissions, and its disk",
        ) from error


def _named(path: Path) -> list[Path]:
    """A file or folder; what a pattern stands for; nothing where there is no such thing."""
    return [path] if path.exists() else sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _train_inputs(shop: Workshop) -> dict[str, Any]:
    recipe, run = shop.recipe, shop.run
    groups = {"adapt": recipe.adapt, "objective": recipe.objective, "train": recipe.train}
    guards = {name: guard.model_dump(mode="json") for name, guard in recipe.protect.rungs if guard is not None}
    settings = {
        key: value
        for name, group in groups.items()
        for key, value in stages.flatten(group.model_dump(mode="json"), name).items()
        if key not in FREE_TO_CHANGE
    } | stages.flatten(guards, "protect")
    if recipe.protect.choice is not None:
        settings |= {"protect.scale": recipe.protect.choice, "protect.forget_limit": recipe.protect.forget_limit}
    if recipe.protect.replay_file:
        settings["protect.replay.file"] = _hash_of(shop.base / recipe.protect.replay_file)
    return {"model": shop.model_hash, "model.dtype": recipe.model.dtype, "model.weights": recipe.model.weights,
            "train rows": sha256_of_tree(run.train), "dev rows": sha256_of_tree(run.dev),
            "data.order": recipe.data.order, **_new_tokens(shop), **settings}  # fmt: skip


def _evaluate_inputs(shop: Workshop) -> dict[str, Any]:
    settings = stages.flatten(shop.evaluation.compared(), "evaluate") | _files(shop)
    if shop.evaluation.judge is not None:
        settings |= stages.flatten(judge_inputs(shop.evaluation.judge, shop.base), "evaluate.judge")
    return {"model": shop.model_hash, "weights": shop.weights_hash(), "data": sha256_of_tree(shop.run.data),
            "data.instructions": shop.recipe.data.instructions, **settings, **hashes(shop)}  # fmt: skip


def _files(shop: Workshop) -> dict[str, Any]:
    """The hashes of the files that metric and memory check need, in the place of their names."""
    named, retention = file_of(shop.evaluation.metric), shop.evaluation.retention
    hashes: dict[str, Any] = {f"evaluate.metric.{named[0]}": sha256_of_file(Path(named[1]))} if named else {}
    files = suite_files(retention)
    if retention.extra:
        hashes["evaluate.retention.extra"] = [
            {"suite": one.suite, "margin": one.margin, "file": files.get(one.suite)} for one in retention.extra
        ]
    return hashes | {f"suite {name}": digest for name, digest in files.items()}


def _check_programs(shop: Workshop) -> None:
    """Raises MissingTool: a form of the export wants a program that is not here."""
    from burnish.deploy.k_quants import check_quantiser
    from burnish.deploy.optimum import check_optimum  # its answers need what training does without

    check_quantiser(shop.recipe.export.forms)
    check_optimum(shop.recipe.export.forms)


def _export_inputs(shop: Workshop) -> dict[str, Any]:
    settings = stages.flatten(shop.recipe.export.model_dump(mode="json"), "export")
    return {"model": shop.model_hash, "weights": shop.weights_hash(), **settings}


# Each stage imports what it alone needs: word lists, statistics and exporters take a second that the others can spare.


def _prepare(shop: Workshop, say: Say) -> None:
    from burnish.core.power import can_show
    from burnish.data.prepare import prepare
    from burnish.pipeline.writer import local_writer

    card = prepare(
        shop.recipe.data,
        shop.run,
        base=shop.base,
        seed=shop.data_seed,
        lengths_of=lambda rows: row_lengths(shop, rows, shop.context),
        context=shop.context,
        say=say,
        local_writer=lambda name: local_writer(name, shop.base, shop.world),
        columns=shop.recipe.evaluate.groups,
    )
    items = shop.recipe.evaluate.items
    if items is not None and items < card.parts["test"].rows:
        say(f"evaluate.items: {can_show(items)}")


def _evaluate(shop: Workshop, say: Say) -> None:
    from burnish.evals.evaluate import Models, evaluate
    from burnish.evals.judge.judging import judge_answers
    from burnish.evals.report import write_report
    from burnish.evals.tries import note_try
    from burnish.evals.verdict_text import write_verdict
    from burnish.pipeline.answering import ready
    from burnish.pipeline.opponents import find_contenders, openers

    specialist = cache(lambda: ready(shop.specialist()))

    def base_model() -> AbstractContextManager[Decoder]:
        if methods.has_adapter(shop.recipe.adapt):
            return methods.switched_off(specialist())
        return just(ready(shop.base_decoder()))

    first = first_training(shop.run)
    contenders = find_contenders(shop, say)
    evaluate(
        shop.run,
        shop.evaluation,
        Models(
            base=base_model,
            tuned=lambda: just(specialist()),
            others=openers(contenders),
            release=specialist.cache_clear,
        ),
        shop.renderer,
        instructions=shop.recipe.data.instructions,
        seed=shop.evaluation_seed,
        identity={
            "model": shop.model_hash,
            "weights": shop.weights_hash(),
            "dtype": str(shop.dtype),
            "base_weights": shop.recipe.model.weights,
        }
        | _files(shop),
        say=say,
        contenders=contenders,
        like=first.run if first else None,
    )
    specialist.cache_clear()  # a judge on this machine needs the room
    if shop.evaluation.judge is not None:
        judge = make_judge(shop.evaluation.judge, shop.base, shop.world)
        judge_answers(shop.run, shop.evaluation.judge, judge, seed=shop.evaluation_seed, say=say)
    again = (first.weights, first.number) if first else None
    write_json(shop.run.arms, {**read_json(shop.run.arms), "tries": note_try(shop.run, shop.weights_hash(), again)})
    write_verdict(shop.run)
    write_report(shop.run)


def _export(shop: Workshop, say: Say) -> None:
    from burnish.pipeline.exporting import export_stage

    export_stage(shop, say)


INPUTS: Mapping[str, Callable[[Workshop], dict[str, Any]]] = {
    "prepare": _prepare_inputs,
    "train": _train_inputs,
    "evaluate": _evaluate_inputs,
    "export": _export_inputs,
}
STAGE: Mapping[str, Callable[[Workshop, Say], None]] = {
    "prepare": _prepare,
    "train": train_stage,
    "evaluate": _evaluate,
    "export": _export,
}
