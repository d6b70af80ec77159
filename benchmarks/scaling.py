"""Does a token cost the same whatever the number of rows, and how does it grow with their length?

python -m benchmarks.scaling rows        1,000, 10,000 and 100,000 rows, a few updates of each
python -m benchmarks.scaling length      one row a pass, 512 to 8,192 tokens
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks import ours
from benchmarks.common import (
    WARM_STEPS,
    Options,
    common_options,
    finish,
    make_parser,
    record,
    run_command,
    run_module,
    start,
    table,
)
from benchmarks.inputs import HELD_OUT, RowFiles, varied_rows
from burnish.core.files import read_json, read_jsonl, write_jsonl

COUNTS = (1_000, 10_000, 100_000)
LENGTHS = (512, 1024, 2048, 4096, 8192)


def many_rows(folder: Path, count: int) -> RowFiles:
    """A file of `count` short rows, and dev and test of their own."""
    rows = list(varied_rows(count + 2 * HELD_OUT))
    parts = {"train": rows[:count], "dev": rows[count : count + HELD_OUT], "test": rows[count + HELD_OUT :]}
    for name, part in parts.items():
        write_jsonl(folder / f"{name}.jsonl", part)
    return RowFiles(**{name: folder / f"{name}.jsonl" for name in parts}, source="numbered tickets")


def by_rows(options: Options, largest: int) -> None:
    """The real `burnish train`: preparing, the wait before step 1, and the steps."""
    model = ours.model_folder(options)
    lines: list[list[object]] = [["rows", "tokens/s", "prepare s", "to step 1 s", "ms a row before step 1", "peak MB"]]
    for count in (count for count in COUNTS if count <= largest):
        name = f"scaling-{count}"
        files = many_rows(options.work / "data" / name, count)
        made = ours.make_recipe(options, model, files, method="lora", rows_per_update=8)
        recipe = ours.write_recipe(options, name, made)
        run, log = options.work / "runs" / name, options.work / "logs" / f"{name}.log"
        command = ours.burnish("train", options, recipe, name)
        started, first = time.perf_counter(), list[float]()

        def look(timings: Path = run / "timings.jsonl", first: list[float] = first) -> None:
            if not first and timings.exists() and timings.stat().st_size:
                first.append(time.perf_counter())

        done = finish(start(command, threads=options.threads, log=log), started, log, look)
        metrics, timings = read_jsonl(run / "metrics.jsonl"), read_jsonl(run / "timings.jsonl")
        seconds = sum(line["seconds"] for line in timings[WARM_STEPS:])
        speed = sum(line["tokens"] for line in metrics[WARM_STEPS:]) / seconds
        prepared = read_json(run / "stages.json")["prepare"]["seconds"]
        before = first[0] - started - timings[0]["seconds"]
        lines.append([count, speed, prepared, before, f"{1000 * before / count:.2f}", done.peak_mb])
        record(options, "scaling-rows", {"rows": count, "tokens_per_s": speed, "prepare_s": prepared,
                                         "before_step_1_s": before, "peak_mb": done.peak_mb},
               f"{count:,} rows: {speed:,.0f} tokens/s, step 1 after {before:.1f} s, {done.peak_mb:,} MB")  # fmt: skip
    print(table(lines))


def by_length(options: Options, largest: int) -> None:
    """One row a pass, each length in a process of its own."""
    model = ours.model_folder(options)
    flags = ["--compile"] if options.compile else []
    lines: list[list[object]] = [["tokens a row", "tokens/s", "ms a token", "peak MB"]]
    for length in (length for length in LENGTHS if length <= largest):
        log = options.work / "logs" / f"length-{length}.log"
        done = run_module("benchmarks.long_rows", model, str(length), str(options.steps), str(options.threads), *flags,
                          threads=options.threads, log=log)  # fmt: skip
        seen = json.loads(done.output.splitlines()[-1])
        second = statistics.median(seen["seconds"][WARM_STEPS:])
        lines.append([seen["length"], seen["length"] / second, f"{1000 * second / seen['length']:.3f}", done.peak_mb])
        facts = {"length": seen["length"], "seconds": second, "tokens_per_s": seen["length"] / second}
        figure = f"rows of {seen['length']:,} tokens: {seen['length'] / second:,.0f} tokens/s, {done.peak_mb:,} MB"
        record(options, "scaling-length", {**facts, "peak_mb": done.peak_mb}, figure)
    print(table(lines))


def main() -> None:
    parser = make_parser(__doc__, steps=8, repeats=1)
    parser.add_argument("what", choices=["rows", "length"])
    parser.add_argument("--largest", type=int, default=max(COUNTS), help="leave out what is larger")
    parsed = parser.parse_args()
    {"rows": by_rows, "length": by_length}[parsed.what](common_options(parsed), parsed.largest)


if __name__ == "__main__":
    run_command(main)
