"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[Path | None, typer.Argument(help="A recipe (YAML), or the name or folder of a run.")]
Model = Annotated[str | None, typer.Option(help="A bundled name, a folder, a .gguf file or a hub id.")]
Data = Annotated[str | None, typer.Option(help="A file of examples.")]
Name = Annotated[str | None, typer.Option(help="Name of the run's folder.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="group.key=value, as often as you like.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do it again even where it was done before.")]
Runs = Annotated[Path, typer.Option("--out", help="The folder that holds all runs.")]
Gate = Annotated[
    str | None,
    typer.Option(
        help="Exit with 4 unless the verdict is good enough: bare for BETTER and not FORGOTTEN, or "
        "--gate=task=BETTER,retention=KEPT."
    ),
]
Ranks = Annotated[
    int, typer.Option(min=1, help="Processes on this machine that train together: one for each GPU, as a rule.")
]
Seeds = Annotated[
    int,
    typer.Option(
        min=1,
        max=100,
        help="Train so many times, with seeds that follow `train.seed`, each as a run of its own on the same rows; the "
        "verdict then shows the spread between trainings.",
    ),
]
RUNS = Path("runs")
