"""Where LoRA stands, at equal parameters: attention, MLP or all matrices?

python -m benchmarks.reproduce.placement            15 trainings of about 2 minutes; goes on where it was stopped

Published: MLP, or all, is above attention alone ("LoRA Without Regret", 2025), and MLP alone forgets less than the
attention's queries and values (peft's own benchmark of methods).
"""

from __future__ import annotations

from benchmarks.common import common_options, make_parser, record, run_command, table
from benchmarks.reproduce.arms import Arm, difference, grid
from benchmarks.reproduce.learning_rates import WIDTH
from benchmarks.reproduce.sweeps import swept
from burnish.adapt.settings import LoRASettings
from burnish.train.rules import learning_rate

# Inputs and outputs of the matrices of a layer of SmolLM2-135M: attention 3,840, MLP 6,336, together 10,176. Times the
# rank that is 99,840, 101,376 and 101,760 weights a layer.
RANKS = {"attention": 26, "mlp": 16, "all-linear": 10}
FACTORS = (0.5, 1, 2)


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=3)
    parser.add_argument("--task", default="e2e")
    parser.add_argument("--epochs", type=float, default=2)
    parsed = parser.parse_args()
    options = common_options(parsed)
    rates = grid(learning_rate(WIDTH, LoRASettings()), FACTORS)
    found = {
        targets: swept(options, parsed.task,
                       Arm(f"{targets}-r{r}", (f"adapt.targets={targets}", f"adapt.r={r}", f"adapt.alpha={2 * r}")),
                       rates, range(options.repeats), model="smollm2-135m", epochs=parsed.epochs)
        for targets, r in RANKS.items()
    }  # fmt: skip
    lines: list[list[object]] = [["targets", "rank", "rate", "test", "general text"]]
    lines += [[name, RANKS[name], f"{one.rate:g}", one.loss, one.general_loss] for name, one in found.items()]
    print(table(lines))
    said = []
    for name in ("mlp", "all-linear"):
        for part, words in (("rows", "test loss"), ("general", "loss on general text")):
            gap = difference(found[name].outcomes, found["attention"].outcomes, part)
            said.append(f"{name} minus attention, {words}: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    print("\n".join(said))
    facts = {name: {"rate": one.rate, "loss": one.loss, "general_loss": one.general_loss}
             for name, one in found.items()}  # fmt: skip
    record(options, "placement", {"task": parsed.task, "epochs": parsed.epochs, "arms": facts}, "; ".join(said))


if __name__ == "__main__":
    run_command(main)
