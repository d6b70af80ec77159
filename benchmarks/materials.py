"""What a peer is handed so that it does the same work: model folder, rows as token ids, adapter start.

A process of its own (`python -m benchmarks.materials`), so that the one that measures stays small.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import save

from burnish.adapt import lora
from burnish.adapt.settings import LoRASettings
from burnish.core.files import read_json, write_bytes, write_json, write_jsonl
from burnish.core.records import Chat, Pair
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows
from burnish.deploy.merged import write_model_folder
from burnish.evals.arms import Decoding
from burnish.evals.opponent import make_prompts
from burnish.evals.opponents import task_of_each
from burnish.evals.task import Task
from burnish.evals.task_data import read_task_data
from burnish.graders.registry import make_grader
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.model.resolve import resolve
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe
from burnish.render.renderer import Rendered, Renderer, make_renderer
from burnish.train.order import rows_of_update

MODEL = "smollm2-135m"


def write_model(folder: Path) -> None:
    """The bundled GGUF as a transformers folder in bf16: what every side reads."""
    made = read_checkpoint(resolve(MODEL, base=Path.cwd()))
    renderer = make_renderer(made.tokenizer, made.generation)
    unfinished = folder.with_name(folder.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    write_model_folder(
        unfinished,
        made.config,
        made.tensors,
        made.tokenizer,
        template=renderer.template,
        generation=made.generation,
        stop_ids=renderer.stop_ids,
        dtype=torch.bfloat16,
    )
    unfinished.rename(folder)


def write_start(model: Path, folder: Path, seed: int) -> None:
    """The adapter with which Burnish starts, in peft's layout."""
    made, settings = read_checkpoint(model), LoRASettings()
    decoder = build_decoder(made.config, made.tensors, dtype=torch.bfloat16, device=torch.device("cpu"))
    lora.apply(decoder, settings, seed)
    tensors = {name: tensor.contiguous() for name, tensor in lora.state(decoder, settings).items()}
    write_bytes(folder / "adapter_model.safetensors", save(tensors, metadata={"format": "pt"}))
    write_json(folder / "adapter_config.json", lora.peft_config(settings, str(model)))


def write_rows(run: Path, steps: int, to: Path) -> None:
    """The rows of a prepared run as token ids, in the order of its updates."""
    recipe, base = read_recipe(run / "recipe.yaml")
    shop = Workshop(recipe, base, RunFolder(run))
    rows, per_update = read_rows(shop.run.train), recipe.train.rows_per_update
    if not isinstance(per_update, int):
        raise SystemExit("the benchmark's recipe must state train.rows_per_update")
    order = [
        number
        for step in range(steps)
        for number in rows_of_update(step, seed=recipe.train.seed, rows=len(rows), rows_per_update=per_update)
    ]
    values: list[dict[str, list[int]]] = []
    for number in order:
        row = rows[number]
        if isinstance(row, Pair):
            values.append(_pair(shop.renderer, row))
        else:
            rendered = shop.renderer.row(row)
            values.append({"ids": rendered.ids, "learnt": [int(weight > 0) for weight in rendered.weights]})
    write_jsonl(to, values)


def write_prompts(run: Path, most: int, to: Path) -> None:
    """The prompts of an evaluated run as token ids, for each arm those of its first `most` test rows."""
    recipe, base = read_recipe(run / "recipe.yaml")
    shop, plan = Workshop(recipe, base, RunFolder(run)), read_json(run / "arms.json")
    data = read_task_data(shop.run, shop.evaluation, recipe.train.seed)
    decoding = Decoding(plan["decoding"]["max_new_tokens"], frozenset(plan["decoding"]["stop"]))
    maker = make_prompts(data, shop.renderer, decoding, recipe.data.instructions, recipe.train.seed)
    grade = make_grader(data.metric, data.keys, data.labels)
    base_task = Task(data.metric, grade, shop.renderer, decoding, maker, None)
    tasks = task_of_each(plan, base_task, data, (), recipe.data.instructions)
    write_jsonl(
        to,
        (
            {"arm": arm, "row": number, "ids": list(tasks[arm].prompt(arm, row))}
            for arm in (*plan["opponents"], plan["specialist"])
            for number, row in enumerate(data.test[:most])
        ),
    )


def _pair(renderer: Renderer, pair: Pair) -> dict[str, list[int]]:
    """What trl's DPO reads: the prompt, and each answer up to its last learnt token, since trl learns all of it."""
    chosen, rejected = (renderer.row(Chat(pair.id, pair.answered(text))) for text in (pair.chosen, pair.rejected))
    begin = min(_learnt(chosen)[0], _learnt(rejected)[0])
    return {
        "prompt_ids": chosen.ids[:begin],
        "chosen_ids": chosen.ids[begin : _learnt(chosen)[-1] + 1],
        "rejected_ids": rejected.ids[begin : _learnt(rejected)[-1] + 1],
    }


def _learnt(rendered: Rendered) -> list[int]:
    return [at for at, weight in enumerate(rendered.weights) if weight > 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    model = verbs.add_parser("model")
    model.add_argument("to", type=Path)
    start = verbs.add_parser("start")
    start.add_argument("model", type=Path)
    start.add_argument("to", type=Path)
    start.add_argument("--seed", type=int, default=0)
    rows = verbs.add_parser("rows")
    rows.add_argument("run", type=Path)
    rows.add_argument("to", type=Path)
    rows.add_argument("--steps", type=int, required=True)
    prompts = verbs.add_parser("prompts")
    prompts.add_argument("run", type=Path)
    prompts.add_argument("to", type=Path)
    prompts.add_argument("--most", type=int, required=True)
    parsed = parser.parse_args()
    if parsed.verb == "prompts":
        write_prompts(parsed.run, parsed.most, parsed.to)
    elif parsed.verb == "model":
        write_model(parsed.to)
    elif parsed.verb == "start":
        write_start(parsed.model, parsed.to, parsed.seed)
    else:
        write_rows(parsed.run, parsed.steps, parsed.to)


if __name__ == "__main__":
    main()
