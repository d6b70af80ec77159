"""Two sides on the same work, in turn: are they equal in work, and what is the ratio of their speeds?"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import ours
from benchmarks.common import WARM_STEPS, Options, common_options, make_parser, record, run_child, run_module, table
from benchmarks.environments import Peer, python_of
from benchmarks.inputs import RowFiles
from benchmarks.ours import Training
from burnish.core.files import read_json, read_jsonl

PEERS = Path(__file__).parent / "peers"
# Nats, mean over the steps: what bf16 products in another order do to a curve. A pair's loss is made of differences of
# sums over whole answers, so rounding shows more in it; in float32 (--precision) hardly anything is left.
LOSS_TOLERANCE = {("tokens", "bfloat16"): 0.02, ("pairs", "bfloat16"): 0.05, ("tokens", "float32"): 0.002,
                  ("pairs", "float32"): 0.005}  # fmt: skip


@dataclass(frozen=True)
class Match:
    """What is compared, and with whom."""

    name: str
    peer: Peer
    script: str
    rows: RowFiles
    objective: Mapping[str, Any]
    method: str
    rows_per_update: int
    unit: str  # "tokens" or "pairs": of which the speed is counted
    goal: float  # the ratio that Burnish should reach
    peer_arguments: Sequence[str] = ()
    changes: Sequence[str] = ()  # --set of Burnish's side
    precision: str = "bfloat16"  # of the products on both sides

    @property
    def tolerance(self) -> float:
        return LOSS_TOLERANCE[self.unit, self.precision]


def versus_parser(text: str | None, *, checkpointing: bool = False) -> argparse.ArgumentParser:
    """The options of every comparison."""
    parser = make_parser(text, steps=12, repeats=3)
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE",
                        help="a setting of Burnish's recipe, such as train.tokens_per_pass=1024")  # fmt: skip
    parser.add_argument("--precision", choices=["bfloat16", "float32"], default="bfloat16",
                        help="float32 on both sides: not for speed, but to see that the work is the same")  # fmt: skip
    parser.add_argument("--peer-weights", choices=["bfloat16", "float32"], default="bfloat16",
                        help="in which the peer keeps the base model; its products are in bf16 either way")  # fmt: skip
    parser.add_argument("--peer-checkpointing", action=argparse.BooleanOptionalAction, default=checkpointing,
                        help="the peer computes activations twice to save memory")  # fmt: skip
    return parser


def peer_arguments(parsed: argparse.Namespace) -> list[str]:
    """The peer's configuration as its script takes it."""
    checkpointing = ["--checkpointing"] if parsed.peer_checkpointing else []
    weights = "float32" if parsed.precision == "float32" else parsed.peer_weights
    return ["--weights", weights, "--products", parsed.precision, *checkpointing]


def compare(match: Match, parsed: argparse.Namespace) -> None:
    """Prepares, runs both sides in turn, checks the equality of the work, prints and records."""
    options = common_options(parsed)
    if options.steps <= WARM_STEPS:
        raise SystemExit(f"--steps must be more than the {WARM_STEPS} that warm up")
    python = python_of(match.peer, options.work)
    model = ours.model_folder(options)
    recipe = ours.write_recipe(options, match.name, ours.make_recipe(
        options, model, match.rows, method=match.method, rows_per_update=match.rows_per_update,
        objective=match.objective, precision=match.precision))  # fmt: skip
    rows = _peer_rows(match, options, recipe)
    start = options.work / "start"
    log = options.work / "logs" / "start.log"
    run_module("benchmarks.materials", "start", model, start, threads=options.threads, log=log)
    mine: list[Training] = []
    theirs: list[Training] = []
    for repeat in range(options.repeats):
        mine.append(ours.train(options, recipe, f"{match.name}-{repeat + 1}", match.changes))
        _say_run(match, mine[-1])
        theirs.append(_peer_run(match, options, python, model, rows, start, repeat + 1))
        _say_run(match, theirs[-1])
    _report(match, options, mine, theirs, read_jsonl(rows))


def _peer_rows(match: Match, options: Options, recipe: Path) -> Path:
    """Prepares the data as every run of ours will, and writes its rows in the order of the updates."""
    name, to = f"{match.name}-rows", options.work / "rows" / f"{match.name}.jsonl"
    run_child(ours.burnish("prepare", options, recipe, name), threads=options.threads,
              log=options.work / "logs" / f"{name}.log")  # fmt: skip
    run_module("benchmarks.materials", "rows", options.work / "runs" / name, to, "--steps", str(options.steps),
               threads=options.threads, log=options.work / "logs" / f"{name}-ids.log")  # fmt: skip
    return to


def _peer_run(
    match: Match, options: Options, python: Path, model: Path, rows: Path, start: Path, repeat: int
) -> Training:
    name = f"{match.name}-{match.peer.name}-{repeat}"
    folder, out = options.work / "peer-runs" / name, options.work / "peer-runs" / f"{name}.json"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command: list[str | Path] = [python, PEERS / match.script, "--model", model, "--rows", rows, "--start", start,
               "--method", match.method, "--steps", str(options.steps), "--batch", str(match.rows_per_update),
               "--learning-rate", str(ours.RATE[match.method]), "--folder", folder, "--out", out,
               *match.peer_arguments]  # fmt: skip
    done = run_child(command, threads=options.threads, log=options.work / "logs" / f"{name}.log")
    shutil.rmtree(folder)
    seen = read_json(out)
    measured = {key: seen.pop(key) for key in ("seconds", "tokens", "rows", "losses")}
    return Training(side=match.peer.name, peak_mb=done.peak_mb, facts=seen, **measured)


def _say_run(match: Match, run: Training) -> None:
    unit = "tokens" if match.unit == "tokens" else "rows"
    print(f"{run.side}: {run.per_second(unit):,.2f} {match.unit}/s, peak {run.peak_mb:,} MB", flush=True)


@dataclass(frozen=True)
class Outcome:
    """What both sides reached: medians over the repeats, the largest peaks, and whether the work was the same."""

    speeds: tuple[float, float]
    ratios: tuple[float, ...]  # of each pair of neighbouring runs
    peaks_mb: tuple[int, int]
    checks: Mapping[str, tuple[bool, str]]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def unequal(self) -> list[str]:
        return [name for name, (holds, _) in self.checks.items() if not holds]

    def figure(self, match: Match) -> str:
        """One line for the results."""
        spread = ", ".join(f"{one:.2f}" for one in self.ratios)
        work = f"NOT equal in {', '.join(self.unequal)}" if self.unequal else "equal"
        return (
            f"{match.name}: {self.speeds[0]:,.2f} against {self.speeds[1]:,.2f} {match.unit}/s, {self.ratio:.2f} times "
            f"({spread}; goal {match.goal}); peak {self.peaks_mb[0]:,} against {self.peaks_mb[1]:,} MB; work {work}"
        )


def _outcome(match: Match, mine: Sequence[Training], theirs: Sequence[Training], handed: Sequence[Any]) -> Outcome:
    unit = "tokens" if match.unit == "tokens" else "rows"
    speeds = [statistics.median(run.per_second(unit) for run in side) for side in (mine, theirs)]
    peaks = [max(run.peak_mb for run in side) for side in (mine, theirs)]
    return Outcome(
        speeds=(speeds[0], speeds[1]),
        ratios=tuple(a.per_second(unit) / b.per_second(unit) for a, b in zip(mine, theirs, strict=True)),
        peaks_mb=(peaks[0], peaks[1]),
        checks=equal_work(match, mine[-1], theirs[-1], handed),
    )


def _report(
    match: Match, options: Options, mine: Sequence[Training], theirs: Sequence[Training], handed: Sequence[Any]
) -> None:
    outcome = _outcome(match, mine, theirs, handed)
    print(f"\n{match.rows.source}, {match.rows_per_update} rows an update, {options.threads} threads")
    sides = ((mine, outcome.speeds[0]), (theirs, outcome.speeds[1]))
    lines = [
        [side[0].side, speed, statistics.median(one for run in side for one in run.seconds[WARM_STEPS:]),
         max(run.peak_mb for run in side), sum(side[0].tokens), side[0].facts.get("tokens_computed", "")]
        for side, speed in sides
    ]  # fmt: skip
    print(table([["side", f"{match.unit}/s", "s/step", "peak MB", "real tokens", "computed"], *lines]))
    curves = enumerate(zip(mine[-1].tokens, mine[-1].losses, theirs[-1].losses, strict=True), start=1)
    print(table([["step", "tokens", mine[0].side, theirs[0].side],
                 *([str(step), tokens, f"{a:.4f}", f"{b:.4f}"] for step, (tokens, a, b) in curves)]))  # fmt: skip
    for name, (holds, seen) in outcome.checks.items():
        print(f"{'equal' if holds else 'NOT EQUAL'}: {name}: {seen}")
    print(outcome.figure(match))
    for run in (*mine, *theirs):
        facts = {key: value for key, value in asdict(run).items() if key != "facts"}
        more = {key: value for key, value in run.facts.items() if key != "first_update"}
        record(options, f"{match.name}, run", {**facts, **more})
    record(options, match.name, {
        "rows_from": match.rows.source, "unit": match.unit, "goal": match.goal, "ratio": outcome.ratio,
        **asdict(outcome), "peer_arguments": list(match.peer_arguments), "changes": list(match.changes),
    }, outcome.figure(match))  # fmt: skip


def equal_work(match: Match, mine: Training, theirs: Training, handed: Sequence[Any]) -> dict[str, tuple[bool, str]]:
    """Name of a check → (does it hold, what was seen)."""
    first = handed[: match.rows_per_update]
    wanted = sorted(sequence for row in first for sequence in sequences(row))
    seen = sorted((row["ids"], row["learnt"]) for row in theirs.facts["first_update"])
    learnt = sum(len(row[1]) for row in wanted)
    gap = statistics.mean(abs(a - b) for a, b in zip(mine.losses, theirs.losses, strict=True))
    first_gap = abs(mine.losses[0] - theirs.losses[0])
    tokens = (sum(mine.tokens), sum(theirs.tokens))
    # trl's pairs end at the last learnt token; ours hold the line break after it, which nobody learns.
    spare = 2 * sum(mine.rows) if match.unit == "pairs" else 0
    return {
        "ids of the first update": (wanted == seen, f"{len(wanted)} rows, {learnt} learnt tokens"),
        "real tokens in all": (abs(tokens[0] - tokens[1]) <= spare, f"{tokens[0]:,} and {tokens[1]:,}"),
        "loss before any change": (first_gap < match.tolerance, f"{first_gap:.4f} apart"),
        "curve of the loss": (gap < match.tolerance, f"{gap:.4f} apart on average, {match.tolerance} allowed"),
    }


def sequences(row: Mapping[str, Sequence[int]]) -> list[tuple[list[int], list[int]]]:
    """A row, or both answers of a pair, as (ids, learnt ids)."""
    if "ids" in row:
        ids = list(row["ids"])
        return [(ids, [token for token, learnt in zip(ids, row["learnt"], strict=True) if learnt])]
    return [([*row["prompt_ids"], *row[answer]], list(row[answer])) for answer in ("chosen_ids", "rejected_ids")]
