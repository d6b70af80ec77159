"""Evaluation's answers against transformers' generate: 500 items × 3 arms, up to 64 tokens each.

    python -m benchmarks.evaluating

`burnish evaluate` answers the test of a short training three times: base, base with instructions and 8 examples,
specialist. Then the peer continues the same prompts, greedily, in batches of prompts of like length, with the adapter
merged. Reported: seconds of both for the answers alone (choosing the prompt on dev, which the peer has no counterpart
of, is told apart), and how many answers differ.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import ours
from benchmarks.common import (
    Options,
    common_options,
    finish,
    make_parser,
    record,
    run_child,
    run_command,
    run_module,
    table,
)
from benchmarks.common import start as start_child
from benchmarks.environments import TRL, python_of
from benchmarks.inputs import RowFiles, varied_rows
from burnish.core.files import read_json, read_jsonl, write_jsonl

EXAMPLES = 8
NEW_TOKENS = 64
GOAL_SECONDS, GOAL_TIMES = 240.0, 5.0


def task_rows(work: Path, items: int) -> RowFiles:
    """Rows {prompt, completion}: E2E NLG out of the folder that BURNISH_DATA names, else the example's tickets."""
    real = os.environ.get("BURNISH_DATA")
    rows = list(islice(_e2e(Path(real)) if real else varied_rows(items + 500), items + 500))
    folder = work / "data" / f"evaluating-{'e2e' if real else 'tickets'}-{items}"
    paths = {name: folder / f"{name}.jsonl" for name in ("train", "dev", "test")}
    for path, part in zip(
        paths.values(), (rows[: -items - 60], rows[-items - 60 : -items], rows[-items:]), strict=True
    ):
        write_jsonl(path, part)
    return RowFiles(**paths, source="e2e_nlg" if real else "examples/support/tickets.jsonl")


def _e2e(data: Path) -> Iterator[dict[str, str]]:
    """One sentence for each meaning and restaurant; the set has several to many."""
    seen = set()
    with (data / "e2e_nlg" / "devset.csv").open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if (row["mr"], number // 4) not in seen:
                seen.add((row["mr"], number // 4))
                yield {"prompt": row["mr"], "completion": row["ref"]}


def evaluate(options: Options, recipe: Path, name: str) -> dict[str, float]:
    """Trains, then evaluates in a process of its own. Seconds of the whole and from the choice of the prompt on."""
    run = options.work / "runs" / name
    logs = options.work / "logs"
    run_child(ours.burnish("train", options, recipe, name), threads=options.threads, log=logs / f"{name}.log")
    command = ours.command("evaluate", options, recipe, name)
    started, chosen = time.perf_counter(), list[float]()

    def look() -> None:
        if not chosen and (run / "arms.json").exists():
            chosen.append(time.perf_counter() - started)

    log = logs / f"{name}-evaluate.log"
    done = finish(start_child(command, threads=options.threads, log=log), started, log, look)
    return {"whole": done.seconds, "answers": done.seconds - chosen[0], "peak_mb": done.peak_mb}


def peer(options: Options, run: Path, most: int) -> dict[str, Any]:
    """The same prompts through transformers, at most so many of each arm."""
    python, folder = python_of(TRL, options.work), options.work / "materials" / run.name
    log = options.work / "logs" / "evaluating-peer.log"
    folder.mkdir(parents=True, exist_ok=True)
    run_module("benchmarks.materials", "prompts", run, folder / "prompts.jsonl", "--most", str(most),
               threads=options.threads, log=log)  # fmt: skip
    stop = [str(token) for token in read_json(run / "arms.json")["decoding"]["stop"]]
    script = Path(__file__).parent / "peers" / "transformers_generate.py"
    done = run_child(
        [python, script, "--model", ours.model_folder(options), "--adapter", run / "adapter", "--prompts",
         folder / "prompts.jsonl", "--to", folder / "said.json", "--new-tokens", str(NEW_TOKENS), "--stop", *stop],
        threads=options.threads, log=log,
    )  # fmt: skip
    return {**read_json(folder / "said.json"), "peak_mb": done.peak_mb}


def differing(run: Path, said: list[dict[str, Any]]) -> dict[str, int]:
    """How many of the peer's answers are not the run's own; rounding to bf16 decides near ties differently."""
    own: dict[str, list[str]] = {}
    for item in read_jsonl(run / "items.jsonl"):
        own.setdefault(item["arm"], []).append(item["output"])
    return {arm: sum(own[arm][line["row"]] != line["said"] for line in said if line["arm"] == arm) for arm in own}


def run(options: Options, items: int, most: int) -> None:
    rows = task_rows(options.work, items)
    made = ours.make_recipe(options, ours.model_folder(options), rows, method="lora", rows_per_update=8)
    made["evaluate"] = {
        "retention": "off",
        "items": items,
        "max_new_tokens": NEW_TOKENS,
        "metric": "exact",  # other metrics of text also weigh the expected answer
        "opponents": ["base", {"examples": EXAMPLES}],
    }
    recipe = ours.write_recipe(options, "evaluating", made)
    own = evaluate(options, recipe, "evaluating")
    folder = options.work / "runs" / "evaluating"
    theirs = peer(options, folder, most)
    asked = {arm: sum(line["arm"] == arm for line in theirs["said"]) for arm in theirs["seconds"]}
    per_item = sum(theirs["seconds"][arm] / asked[arm] for arm in asked)
    times = per_item * items / own["answers"]
    print(table([
        ["side", "s for the answers", "items an arm", "peak MB"],
        ["burnish", own["answers"], items, own["peak_mb"]],
        ["transformers", sum(theirs["seconds"].values()), max(asked.values()), theirs["peak_mb"]],
    ]))  # fmt: skip
    other = differing(folder, theirs["said"])
    print(f"answers that differ: {', '.join(f'{arm} {other[arm]} of {asked[arm]}' for arm in asked)}")
    print(f"choosing the prompt on dev and starting: {own['whole'] - own['answers']:.0f} s")
    figure = (
        f"{items} items × 3 arms answered in {own['answers']:.0f} s (goal {GOAL_SECONDS:g}), transformers "
        f"{per_item * items:.0f} s at its rate for {max(asked.values())} items an arm: {times:.1f} times (goal "
        f"{GOAL_TIMES:g})"
    )
    print(figure)
    facts = {
        "burnish": own,
        "peer": {"seconds": theirs["seconds"], "items": asked, "differing": other},
        "source": rows.source,
    }
    record(options, "evaluating", {**facts, "times": times}, figure)


def main() -> None:
    parser = make_parser(__doc__, steps=20, repeats=1)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--peer-items", type=int, default=500, help="items of each arm that the peer answers")
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.items, parsed.peer_items)


if __name__ == "__main__":
    run_command(main)
