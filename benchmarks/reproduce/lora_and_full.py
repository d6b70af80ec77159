"""LoRA against full fine-tuning on data-to-text: does what was published hold at this size?

python -m benchmarks.reproduce.lora_and_full            21 trainings of about 3 minutes; goes on where it was stopped

- LoRA with under 0.5 % of the parameters is at or above full fine-tuning (arXiv 2106.09685, E2E).
- The best rate of LoRA is about ten times that of full fine-tuning ("LoRA Without Regret", 2025).
- LoRA forgets less at equal gain (arXiv 2405.09673): forgetting is the rise of the loss on general text.
- The full update has a far higher rank than LoRA's (the same).
"""

from __future__ import annotations

from statistics import mean

from benchmarks.common import Options, common_options, make_parser, record, run_command, run_module, table
from benchmarks.reproduce.arms import Arm, Outcome, base_outcome, difference, grid
from benchmarks.reproduce.learning_rates import FACTORS, WIDTH
from benchmarks.reproduce.sweeps import Swept, swept
from burnish.adapt.settings import AdaptSettings, FullSettings, LoRASettings
from burnish.core.files import read_json
from burnish.train.rules import learning_rate

MODEL = "smollm2-135m"
ARMS: dict[str, tuple[Arm, AdaptSettings]] = {
    "full": (Arm("full", ("adapt.type=full",)), FullSettings()),
    "LoRA r 16": (Arm("lora-r16", ("adapt.r=16", "adapt.alpha=32")), LoRASettings()),
    "LoRA r 2": (Arm("lora-r2", ("adapt.r=2", "adapt.alpha=4")), LoRASettings()),
}


def update_rank(options: Options, one: Outcome) -> float:
    """Mean over the matrices."""
    path = one.run / "update_rank.json"
    if not path.is_file():
        run_module("benchmarks.reproduce.update_rank", one.run, threads=options.threads,
                   log=options.work / "logs" / "update_rank.log")  # fmt: skip
    return float(mean(read_json(path).values()))


def sentences(found: dict[str, Swept], ranks: dict[str, float]) -> list[str]:
    """The published claims, each with what was seen."""
    full, wide, narrow = found["full"], found["LoRA r 16"], found["LoRA r 2"]
    gap = difference(narrow.outcomes, full.outcomes)
    forgot = difference(wide.outcomes, full.outcomes, "general")
    gain = difference(wide.outcomes, full.outcomes)
    return [
        f"LoRA with 0.45 % of the parameters minus full, test loss: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
        " nats a token",
        f"best rate of LoRA r 16 over that of full: {wide.rate / full.rate:.0f}",
        f"LoRA r 16 minus full: test loss {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], loss on general text"
        f" {forgot.mean:+.3f} [{forgot.low:+.3f}, {forgot.high:+.3f}]",
        "directions for 90 % of the update: " + ", ".join(f"{name} {rank:.0f}" for name, rank in ranks.items()),
    ]


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=3)
    parser.add_argument("--task", default="e2e")
    parser.add_argument("--epochs", type=float, default=2)
    parsed = parser.parse_args()
    options = common_options(parsed)
    found = {
        name: swept(options, parsed.task, arm, grid(learning_rate(WIDTH, settings), FACTORS), range(options.repeats),
                    model=MODEL, epochs=parsed.epochs)
        for name, (arm, settings) in ARMS.items()
    }  # fmt: skip
    base = base_outcome(options, found["full"].outcomes[0])
    ranks = {name: update_rank(options, one.outcomes[0]) for name, one in found.items()}
    lines: list[list[object]] = [["arm", "rate", "dev", "test", "general text"],
                                 ["base", "", "", base.loss, base.general_loss]]  # fmt: skip
    for name, one in found.items():
        lines += [[f"{name}", f"{rate:g}", float(run.training["best_loss"]), run.loss, run.general_loss]
                  for rate, run in one.sweep.items()]  # fmt: skip
        lines.append([f"{name}, {len(one.outcomes)} seeds", f"{one.rate:g}", "", one.loss, one.general_loss])
    print(table(lines))
    said = sentences(found, ranks)
    print("\n".join(said))
    facts = {name: {"rate": one.rate, "loss": one.loss, "general_loss": one.general_loss,
                    "sweep": {f"{rate:g}": run.loss for rate, run in one.sweep.items()}}
             for name, one in found.items()}  # fmt: skip
    record(options, "LoRA and full", {"task": parsed.task, "epochs": parsed.epochs, "arms": facts}, "; ".join(said))


if __name__ == "__main__":
    run_command(main)
