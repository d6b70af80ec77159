"""`python -m tests.mutations`: puts every bug in, one at a time, and ends with 1 unless a test notices each.

--only TEXT (may be given again) tries the bugs whose name holds the text, or whose invariant has that number.
--done FILE notes the bugs that were caught and leaves out those noted before, so that a run can be taken up again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tests.mutations.bugs import BUGS, Bug
from tests.mutations.check import copied_package, run_tests, try_bug


def main() -> int:
    """The number of the exit: 0 when every bug was caught."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__, formatter_class=form)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--done", type=Path)
    options = parser.parse_args()
    before = options.done.read_text("utf-8").splitlines() if options.done and options.done.exists() else []
    bugs = [bug for bug in BUGS if not options.only or any(_asked_for(bug, text) for text in options.only)]
    left = [bug for bug in bugs if bug.name not in before]
    with copied_package() as copy:
        tests = sorted({test for bug in left for test in bug.tests})
        if tests and (clean := run_tests(tests, copy)).state != "NOT CAUGHT":
            print(f"Without any bug a test fails already: {clean.seen}")
            return 1
        caught = sum(_try(bug, copy, options.done) for bug in left) + len(bugs) - len(left)
    print(f"{caught} of {len(bugs)} bugs caught")
    return 0 if caught == len(bugs) > 0 else 1


def _asked_for(bug: Bug, text: str) -> bool:
    return int(text) == bug.invariant if text.isdigit() else text in bug.name


def _try(bug: Bug, copy: Path, done: Path | None) -> bool:
    begun = time.monotonic()
    outcome = try_bug(bug, copy)
    seconds = time.monotonic() - begun
    print(f"{outcome.state:10} {bug.invariant:2} {bug.name} ({seconds:.0f} s) {outcome.seen}", flush=True)
    if outcome.state == "caught" and done:
        with done.open("a", encoding="utf-8") as file:
            file.write(bug.name + "\n")
    return outcome.state == "caught"


if __name__ == "__main__":
    raise SystemExit(main())
