"""How often specialists were tried on one test. The best of many looks better than it is, so the verdict asks more."""

from __future__ import annotations

from datetime import UTC, datetime

from burnish.core.files import append_jsonl, read_jsonl, sha256_of_json
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows

FILE = "tries.jsonl"  # beside the runs, so that it stays when a run is deleted


def note_try(folder: RunFolder, weights: str) -> int:
    """Adds the weights of a run to the list of those that were judged on its test rows. Returns their number, these
    included: a specialist that was judged before keeps its place."""
    path = folder.path.parent / FILE
    test = sha256_of_json(sorted(row.id for row in read_rows(folder.test)))
    known = [line for line in read_jsonl(path) if line.get("test") == test] if path.exists() else []
    tried = list(dict.fromkeys(str(line.get("weights")) for line in known))
    if weights not in tried:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        append_jsonl(path, {"test": test, "weights": weights, "run": folder.name, "time": now})
        tried.append(weights)
    return tried.index(weights) + 1
