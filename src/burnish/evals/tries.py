"""How often specialists were tried on one test. The best of many looks better than it is, so the verdict asks more."""

from __future__ import annotations

from datetime import UTC, datetime

from burnish.core.files import append_jsonl, read_jsonl, sha256_of_json
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows

FILE = "tries.jsonl"  # beside the runs, so that it stays when a run is deleted


def note_try(folder: RunFolder, weights: str, again: tuple[str, int] | None = None) -> int:
    """Adds the weights of a run to the list of those that were judged on its test rows. Returns their number, these
    included: a specialist that was judged before keeps its place.

    `again` says that the run repeats another one with another seed: the hash of that one's weights, and the number of
    the repeat from 1. All trainings of one recipe take one place in the list, so who looks at the spread between
    trainings pays nothing for it later. The repeat's own number is higher by that of the repeat: who ships the best of
    three has chosen among three.
    """
    path = folder.path.parent / FILE
    test = sha256_of_json(sorted(row.id for row in read_rows(folder.test)))
    known = [line for line in read_jsonl(path) if line.get("test") == test] if path.exists() else []
    repeats = {str(line.get("weights")) for line in known if "repeats" in line}
    tried = list(dict.fromkeys(str(line.get("weights")) for line in known if str(line.get("weights")) not in repeats))
    if weights not in tried and weights not in repeats:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"test": test, "weights": weights, "run": folder.name, "time": now}
        append_jsonl(path, {**line, "repeats": again[0]} if again else line)
        if not again:
            tried.append(weights)
    if weights in tried:
        return tried.index(weights) + 1
    first, number = again or ("", 0)
    return (tried.index(first) + 1 if first in tried else len(tried) + 1) + number
