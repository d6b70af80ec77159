"""`burnish runs`: what there is, and how it came out."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder


def list_runs(out: Path) -> None:
    """One line a run."""
    table = Table("run", "model", "stages done", "task", "memory", box=None, pad_edge=False)
    found = sorted(path.parent for path in out.glob("*/stages.json"))
    for path in found:
        run = RunFolder(path)
        done = [name for name, record in read_json(run.stages).items() if record["finished"]]
        model = read_json(run.environment)["model"]["name"] if run.environment.exists() else "?"
        verdict = read_json(run.verdict_json) if run.verdict_json.exists() else {}
        task, memory = (str((verdict.get(part) or {}).get("outcome", "–")) for part in ("task", "memory"))
        table.add_row(run.name, Path(model).name, " ".join(done), task, memory)
    if found:
        Console().print(table)
    else:
        print(f"no runs in {out}")
