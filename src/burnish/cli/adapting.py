"""`burnish adapters`: what runs left, and several of them as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from burnish.core.errors import RecipeError
from burnish.pipeline.adapters import Found, all_adapters, combine_adapters, find_adapter


def adapters(names: Sequence[str], combine: Path | None, out: Path) -> None:
    """Lists adapters, all of them where none is named, or writes the sum of those that are named."""
    if combine is None:
        show([find_adapter(name, out) for name in names] or all_adapters(out), out)
        return
    if not names:
        raise RecipeError("Which adapters?", where="--combine", next_move="name runs, each as `NAME` or `NAME=WEIGHT`")
    rank = combine_adapters([find_adapter(name, out) for name in names], combine)
    print(f"{combine}: {' + '.join(names)}, rank {rank}")


def show(found: Sequence[Found], out: Path) -> None:
    """One line an adapter."""
    if not found:
        print(f"no adapters in {out}")
        return
    table = Table("adapter", "base", "kind", "MB", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, Path(one.base).name, one.kind, f"{one.size / 2**20:.1f}")
    Console().print(table)
