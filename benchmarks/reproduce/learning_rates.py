"""Is the default learning rate within 2 % of the best of a sweep, in test loss, on three tasks?

python -m benchmarks.reproduce.learning_rates                    LoRA, five rates around the default on each task
python -m benchmarks.reproduce.learning_rates --method full

Each training is a run of its own under --work; the same command goes on where it was stopped. About 2 minutes
a training on 2 cores, 15 of them.
"""

from __future__ import annotations

from benchmarks.common import Options, common_options, make_parser, record, run_command, table
from benchmarks.reproduce.arms import Arm, Outcome, difference, grid, outcome
from burnish.adapt.settings import FullSettings, LoRASettings
from burnish.train.rules import learning_rate

WIDTH = 576  # of SmolLM2-135M
FACTORS = (0.25, 0.5, 1, 2, 4)
BAR = 0.02


def sweep(options: Options, task: str, method: str, epochs: float, seed: int = 0) -> dict[float, Outcome]:
    """One training a rate."""
    settings = LoRASettings() if method == "lora" else FullSettings()
    rates = grid(learning_rate(WIDTH, settings), FACTORS)
    return {
        rate: outcome(options, task,
                      Arm(f"{method}-{rate:g}", (f"adapt.type={method}", f"train.learning_rate={rate:g}")),
                      seed, model="smollm2-135m", epochs=epochs)
        for rate in rates
    }  # fmt: skip


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=1)
    parser.add_argument("--tasks", nargs="+", default=["e2e", "banking77", "dolly"])
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parser.add_argument("--epochs", type=float, default=2)
    parsed = parser.parse_args()
    options = common_options(parsed)
    lines: list[list[object]] = [["task", "rate", "dev", "test", "against the default"]]
    facts: dict[str, object] = {}
    words = []
    for task in parsed.tasks:
        found = sweep(options, task, parsed.method, parsed.epochs)
        default = found[list(found)[FACTORS.index(1)]]
        winner = min(found.values(), key=lambda one: one.loss)
        for rate, one in found.items():
            gap = difference([one], [default])
            lines.append([task, f"{rate:g}", float(one.training["best_loss"]), one.loss,
                          f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"])  # fmt: skip
        worse = default.loss / winner.loss - 1
        words.append(f"{task} {100 * worse:.1f} %")
        facts[task] = {"rates": {f"{rate:g}": one.loss for rate, one in found.items()}, "default_is_worse_by": worse}
    print(table(lines))
    sentence = (f"the default rate's test loss is above the best of {len(FACTORS)} by: " + ", ".join(words)
                + f" (bar {100 * BAR:.0f} %)")  # fmt: skip
    print(sentence)
    record(options, "learning rates", {"method": parsed.method, "epochs": parsed.epochs, **facts}, sentence)


if __name__ == "__main__":
    run_command(main)
