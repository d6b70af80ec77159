"""`python -m tests.bad_inputs`: every bad input through the command that reads it, a table and the score."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import burnish
from tests.bad_inputs.case import Case, Kept
from tests.bad_inputs.corpus import FAMILIES
from tests.bad_inputs.oracle import faults
from tests.bad_inputs.trial import Outcome, clear, try_case
from tests.bad_inputs.warm import warm_up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bad_inputs", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the files are made from")
    parser.add_argument("--only", default="", help="cases whose trap holds these words")
    parser.add_argument("--family", default="", help="these families, with commas between them")
    parser.add_argument("--each", type=int, help="this many cases of each family, drawn by the seed")
    parser.add_argument("--sample", type=int, help="this many cases, drawn by the seed")
    parser.add_argument("--json", type=Path, help="a file for the outcome of each case")
    asked = parser.parse_args()
    named = asked.family.split(",") if asked.family else list(FAMILIES)
    cases = [case for name in named for case in FAMILIES[name] if asked.only in case.trap]
    if asked.each:
        rng, chosen = Random(asked.seed), [[case for case in FAMILIES[name] if case in cases] for name in named]
        cases = [case for family in chosen for case in rng.sample(family, min(asked.each, len(family)))]
    if asked.sample:
        cases = Random(asked.seed).sample(cases, min(asked.sample, len(cases)))
    wrong = try_all(cases, asked.seed)
    if asked.json:
        asked.json.write_text(json.dumps(score(wrong, asked.seed), indent=1, ensure_ascii=False) + "\n")
    return 1 if any(wrong.values()) else 0


def score(wrong: Mapping[str, list[str]], seed: int) -> dict[str, object]:
    """What can be published: how many of each family came out as they should, and which did not."""
    families = {}
    for name, family in FAMILIES.items():
        tried = [case.trap for case in family if case.trap in wrong]
        if tried:
            families[name] = {"tried": len(tried), "passed": sum(not wrong[trap] for trap in tried)}
    failed = {trap: found for trap, found in wrong.items() if found}
    return {"date": time.strftime("%Y-%m-%d", time.gmtime()), "version": burnish.__version__, "seed": seed,
            "tried": len(wrong), "passed": len(wrong) - len(failed), "families": families,
            "failed": failed}  # fmt: skip


def try_all(cases: Sequence[Case], seed: int) -> dict[str, list[str]]:
    """Trap → faults. Prints a line for each case."""
    family_of = {case.trap: name for name, family in FAMILIES.items() for case in family}
    wrong: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="burnish-bad-inputs-") as folder:
        model = warm_up(Path(folder), trained=any(case.run for case in cases))
        started = time.monotonic()
        worst = Worst()
        for number, case in enumerate(cases):
            box = Path(folder) / f"{number}"
            made, outcome = try_case(case, model, box, seed)
            wrong[case.trap] = faults(made, outcome)
            worst.note(outcome)
            became = f"{made.expected.rows} rows" if isinstance(made.expected, Kept) else f"exit {outcome.code}"
            mark = "ok  " if not wrong[case.trap] else "FAIL"
            print(f"{mark} {family_of[case.trap]:12}{case.trap[:70]:72}{became:10}"
                  f"{outcome.cpu_seconds:5.1f} s {outcome.grown_bytes >> 20:5} MiB", flush=True)  # fmt: skip
            for fault in wrong[case.trap]:
                print(f"       {fault}")
            clear(box)
    good = sum(not found for found in wrong.values())
    print(f"{good}/{len(cases)} as they should be, seed {seed}, {time.monotonic() - started:.0f} s; "
          f"at most {worst.seconds:.1f} s of processor time and {worst.grown >> 20} MiB")  # fmt: skip
    return wrong


class Worst:
    """The most that any case took."""

    def __init__(self) -> None:
        self.seconds, self.grown = 0.0, 0

    def note(self, outcome: Outcome) -> None:
        self.seconds = max(self.seconds, outcome.cpu_seconds)
        self.grown = max(self.grown, outcome.grown_bytes)


if __name__ == "__main__":
    raise SystemExit(main())
