"""Seconds from the command to the first step of the 135M model, as a person meets it: the GGUF, and data not prepared.

python -m benchmarks.startup
"""

from __future__ import annotations

import compileall
import statistics
import time
from pathlib import Path

import burnish
from benchmarks import ours
from benchmarks.common import Options, common_options, finish, make_parser, record, run_command, start, table
from benchmarks.inputs import RowFiles, answer_rows
from burnish.core.files import read_json, read_jsonl

GOAL = 8.0  # seconds


def once(options: Options, recipe: Path, name: str) -> dict[str, float]:
    """When the first step began and ended, and how long preparing took."""
    run, log = options.work / "runs" / name, options.work / "logs" / f"{name}.log"
    command = ours.burnish("train", options, recipe, name)
    started, ended = time.perf_counter(), list[float]()

    def look() -> None:
        timings = run / "timings.jsonl"
        if not ended and timings.exists() and timings.stat().st_size:
            ended.append(time.perf_counter() - started)

    done = finish(start(command, threads=options.threads, log=log), started, log, look)
    step = float(read_jsonl(run / "timings.jsonl")[0]["seconds"])
    prepared = float(read_json(run / "stages.json")["prepare"]["seconds"])
    return {"to_first_step": ended[0] - step, "to_its_end": ended[0], "prepare": prepared, "peak_mb": done.peak_mb}


def run(options: Options, rows: RowFiles, model: str) -> None:
    made = ours.make_recipe(options, model, rows, method="lora", rows_per_update=8)
    recipe = ours.write_recipe(options, "startup", made)
    compileall.compile_dir(Path(burnish.__file__).parent, quiet=1)  # as an installer does
    found = [once(options, recipe, f"startup-{repeat + 1}") for repeat in range(options.repeats)]
    names = list(found[0])
    print(table([["run", *names], *([str(at + 1), *(one[name] for name in names)] for at, one in enumerate(found))]))
    median = statistics.median(one["to_first_step"] for one in found)
    print(f"{median:.1f} s to the first step, {rows.source}, model {model}; goal under {GOAL:g} s")
    record(options, "startup", {"seconds": median, "goal": GOAL, "runs": found, "model": model},
           f"{median:.1f} s from the command to the first step of {model} (goal under {GOAL:g} s)")  # fmt: skip


def main() -> None:
    parser = make_parser(__doc__, steps=2, repeats=3)  # with one step, dev would be measured before its line is written
    parser.add_argument("--model", default="smollm2-135m")
    parsed = parser.parse_args()
    options = common_options(parsed)
    run(options, answer_rows(options.work, 400), parsed.model)


if __name__ == "__main__":
    run_command(main)
