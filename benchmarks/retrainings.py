"""How often does a training look better than another that differs in its seed alone? Real trainings, no simulation.

python -m benchmarks.retrainings                          10 trainings on the tickets of examples/support
python -m benchmarks.retrainings RECIPE --seeds 3
python -m benchmarks.retrainings RECIPE --set train.epochs=1

Each training is a run of its own (`burnish evaluate --seeds`), kept under --work: the same command goes on where it was
stopped. Every pair is compared item by item, as a verdict would. There is no bar: the share is reported.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.common import REPOSITORY, Options, common_options, make_parser, record, run_command, run_module, table
from burnish.core.run_folder import RunFolder
from burnish.evals.retrainings import Spread, read_spread, spread_rows, spread_sentences

TICKETS = """model: smollm2-135m
data: {tickets}
train: {{epochs: 2}}
evaluate: {{retention: off, opponents: [base]}}
"""


def recipe_in(work: Path) -> Path:
    """The recipe that is used where none is named."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / "tickets.yaml"
    path.write_text(TICKETS.format(tickets=REPOSITORY / "examples" / "support" / "tickets.jsonl"), "utf-8")
    return path


def train_again(options: Options, recipe: Path | None, seeds: int, changes: list[str]) -> Spread:
    """Trains and evaluates in a process of its own. Raises BurnishError with the end of its log."""
    work = options.work / "retrainings"
    path = recipe or recipe_in(work)
    steps = [f"train.steps={options.steps}"] if options.steps else []
    settings = [part for change in (*steps, *changes) for part in ("--set", change)]
    run_module("burnish", "evaluate", path.absolute(), "--seeds", str(seeds), "--out", work / "runs", "--name",
               path.stem, *settings, threads=options.threads, log=work / f"{path.stem}.log")  # fmt: skip
    spread = read_spread(RunFolder(work / "runs" / path.stem))
    assert spread is not None, "the command above wrote it"
    return spread


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=1)
    parser.add_argument("recipe", type=Path, nargs="?", help="a recipe; default: the tickets of examples/support")
    parser.add_argument("--seeds", type=int, default=10, help="trainings in all")
    parser.add_argument("--set", action="append", default=[], dest="changes", help="group.key=value, for the recipe")
    parsed = parser.parse_args()
    options = common_options(parsed)
    spread = train_again(options, parsed.recipe, parsed.seeds, parsed.changes)
    print(table(spread_rows(spread)))
    sentences = spread_sentences(spread)
    print("\n".join(sentences))
    record(options, "retrainings", spread.to_json(), " ".join(sentences[:2]))


if __name__ == "__main__":
    run_command(main)
