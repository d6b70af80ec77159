"""What a setting that saves memory costs in speed: Burnish against itself, in turn.

python -m benchmarks.low_memory --set train.recompute=true
"""

from __future__ import annotations

import statistics

from benchmarks import ours
from benchmarks.common import WARM_STEPS, common_options, make_parser, record, run_command, table
from benchmarks.inputs import answer_rows
from benchmarks.ours import Training

GOAL_MB, GOAL_SHARE = 1200, 0.7


def main() -> None:
    parser = make_parser(__doc__, steps=12, repeats=3)
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parser.add_argument("--set", dest="changes", action="append", required=True, metavar="KEY=VALUE")
    parsed = parser.parse_args()
    options = common_options(parsed)
    if options.steps <= WARM_STEPS:
        raise SystemExit(f"--steps must be more than the {WARM_STEPS} that warm up")
    rows = answer_rows(options.work, 400)
    model = ours.model_folder(options)
    made = ours.make_recipe(options, model, rows, method=parsed.method, rows_per_update=8)
    recipe = ours.write_recipe(options, "low-memory", made)
    sides: dict[str, list[Training]] = {"default": [], "low memory": []}
    for repeat in range(options.repeats):
        for side, changes in (("default", []), ("low memory", parsed.changes)):
            name = f"low-memory-{side.replace(' ', '-')}-{repeat + 1}"
            sides[side].append(ours.train(options, recipe, name, changes))
    speeds = {side: statistics.median(run.per_second("tokens") for run in runs) for side, runs in sides.items()}
    peaks = {side: max(run.peak_mb for run in runs) for side, runs in sides.items()}
    share = speeds["low memory"] / speeds["default"]
    print(table([["setting", "tokens/s", "peak MB"], *([side, speeds[side], peaks[side]] for side in sides)]))
    print(f"{' '.join(parsed.changes)}: {share:.0%} of the speed at {peaks['low memory']:,} MB; "
          f"goals {GOAL_SHARE:.0%} and {GOAL_MB:,} MB")  # fmt: skip
    apart = max(abs(a - b) for a, b in zip(sides["default"][0].losses, sides["low memory"][0].losses, strict=True))
    print(f"largest difference of the losses, step by step: {apart:.4f}")
    record(options, f"low-memory-{parsed.method}", {"tokens_per_s": speeds, "peak_mb": peaks, "share": share,
                                                    "changes": parsed.changes, "loss_apart": apart},
           f"{' '.join(parsed.changes)}: {share:.0%} of the speed at {peaks['low memory']:,} MB, default "
           f"{peaks['default']:,} MB")  # fmt: skip


if __name__ == "__main__":
    run_command(main)
