"""What does it cost to train an adapter on a base that was rounded?

python -m benchmarks.reproduce.quantised_bases            20 trainings of about 2 minutes; goes on where it was stopped

Published: bf16 ≤ NF4 < FP4 in test loss, and NF4 with double quantisation as good as bf16 (QLoRA, arXiv 2305.14314).
Each arm is measured on the base it was trained on. The bundled model comes in 4 bits itself (Q4_1): `dense` is those
weights in bf16, and the others round them once more; --model FOLDER takes weights that were never rounded.
"""

from __future__ import annotations

from benchmarks.common import common_options, make_parser, record, run_command, table
from benchmarks.reproduce.arms import Arm, base_outcome, difference, grid
from benchmarks.reproduce.learning_rates import WIDTH
from benchmarks.reproduce.sweeps import swept
from burnish.adapt.settings import LoRASettings
from burnish.train.rules import learning_rate

FORMS = ("dense", "int8", "nf4", "fp4")
FACTORS = (0.5, 1, 2)
# (one, other, what is published of one's test loss minus the other's)
CLAIMS = (("nf4", "dense", "0 or more"), ("fp4", "nf4", "more than 0"), ("int8", "dense", "about 0"))


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=3)
    parser.add_argument("--task", default="e2e")
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--model", default="smollm2-135m", help="a bundled name or a folder of the same model")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--set", action="append", default=[], dest="changes", help="group.key=value, for every arm")
    parsed = parser.parse_args()
    options = common_options(parsed)
    rates = grid(learning_rate(WIDTH, LoRASettings()), FACTORS)
    found = {
        form: swept(options, parsed.task, Arm(f"lora-{form}", (f"model.weights={form}", *parsed.changes)), rates,
                    range(options.repeats), model=parsed.model, epochs=parsed.epochs)
        for form in parsed.forms
    }  # fmt: skip
    lines: list[list[object]] = [["base", "rate", "test before", "test", "general text", "peak MB"]]
    for form, one in found.items():
        before = base_outcome(options, one.outcomes[0])
        peak = max(int(outcome.training["peak_memory_mb"]) for outcome in one.outcomes)
        lines.append([form, f"{one.rate:g}", before.loss, one.loss, one.general_loss, peak])
    print(table(lines))
    said = []
    for one_form, other, published in CLAIMS:
        if one_form in found and other in found:
            gap = difference(found[one_form].outcomes, found[other].outcomes)
            interval = f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"
            said.append(f"{one_form} minus {other}, test loss: {interval} (published: {published})")
    print("\n".join(said))
    facts = {form: {"rate": one.rate, "loss": one.loss, "general_loss": one.general_loss}
             for form, one in found.items()}  # fmt: skip
    record(options, "quantised-bases", {"task": parsed.task, "epochs": parsed.epochs, "arms": facts}, "; ".join(said))


if __name__ == "__main__":
    run_command(main)
