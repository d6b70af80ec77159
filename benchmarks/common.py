"""What all benchmarks share: options, child processes with their peak memory, dated results.

The process that measures never imports torch: a child's peak memory would start at its parent's.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from burnish.core import hardware
from burnish.core.errors import BurnishError
from burnish.core.files import append_jsonl, read_jsonl, write_text
from burnish.model.bundled import cache_folder

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "docs" / "benchmarks.jsonl"
WATCH_EVERY = 0.02  # seconds between two looks at a child
WARM_STEPS = 2  # the first steps allocate memory and fill caches; no side's count


@dataclass(frozen=True)
class Options:
    """What every command takes."""

    work: Path
    results: Path
    steps: int
    repeats: int
    threads: int
    compile: bool
    load: float  # of the machine before the benchmark began


def make_parser(text: str | None, *, steps: int, repeats: int) -> argparse.ArgumentParser:
    """A parser with the common options; `text` is the command's docstring."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=cache_folder() / "benchmarks",
                        help="folder for models, environments and runs")  # fmt: skip
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to which dated results are added")
    parser.add_argument("--steps", type=int, default=steps, help="updates in each run")
    parser.add_argument("--repeats", type=int, default=repeats, help="runs of each side, in turn")
    parser.add_argument("--compile", action="store_true", help="train.compile on Burnish's side")
    parser.add_argument("--threads", type=int, default=hardware.cores(), help="threads of each side")
    return parser


def common_options(parsed: argparse.Namespace) -> Options:
    """The common part of what was parsed; makes the work folder."""
    work = parsed.work.expanduser().absolute()
    work.mkdir(parents=True, exist_ok=True)
    return Options(work, parsed.results.absolute(), parsed.steps, parsed.repeats, parsed.threads, parsed.compile,
                   os.getloadavg()[0])  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A child process that ended well. `peak_mb` is its largest resident memory, as the kernel counted it."""

    seconds: float
    peak_mb: int
    output: str


def child_environment(threads: int) -> dict[str, str]:
    """The same for every side: its threads, and nothing from the network."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }


def start(command: Sequence[str | Path], *, threads: int, log: Path) -> subprocess.Popen[bytes]:
    """Starts a command from the repository's folder; all that it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        return subprocess.Popen([str(part) for part in command], cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT,
                                env=child_environment(threads))  # fmt: skip


def finish(
    process: subprocess.Popen[bytes], started: float, log: Path, watch: Callable[[], None] = lambda: None
) -> Finished:
    """Waits for a child of `start`, calling `watch` every 20 ms. Raises BurnishError with the end of its log.

    The peak is watched too: a process may reset the kernel's own count of it, as Burnish does before its first step.
    """
    peak = 0
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        peak = max(peak, _resident_peak_kb(process.pid))
        watch()
        time.sleep(WATCH_EVERY)
    seconds = time.perf_counter() - started
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text("utf-8", errors="replace")
    if process.returncode:
        raise BurnishError(
            f"A part of the benchmark failed with {process.returncode}.",
            where=str(log),
            seen="\n".join(output.splitlines()[-15:]),
            next_move="read the log",
        )
    last = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Finished(seconds, max(peak, last) // 1024, output)


def _resident_peak_kb(process: int) -> int:
    """Linux's count of a process's largest resident memory; 0 where there is none."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def run_child(command: Sequence[str | Path], *, threads: int, log: Path) -> Finished:
    """Runs a command to its end. Raises BurnishError: it failed."""
    started = time.perf_counter()
    return finish(start(command, threads=threads, log=log), started, log)


def run_module(module: str, *arguments: str | Path, threads: int, log: Path) -> Finished:
    """Runs a module of this project in a process of its own."""
    return run_child([sys.executable, "-m", module, *arguments], threads=threads, log=log)


def run_command(main: Callable[[], None]) -> None:
    """A benchmark as a command: an error is a few lines."""
    try:
        main()
    except BurnishError as error:
        sys.exit(f"error: {error}")


def machine() -> dict[str, Any]:
    """The machine, for the results."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")] \
        if info.exists() else []  # fmt: skip
    return {
        **hardware.describe(),
        "model": names[0] if names else "",
        "torch": version("torch"),
        "burnish": version("burnish"),
    }


def record(options: Options, benchmark: str, facts: Mapping[str, Any], figure: str | None = None) -> None:
    """Adds one dated line to the results; with a `figure`, a line of words, it also stands on the page beside them."""
    options.results.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = {
        "time": now,
        "benchmark": benchmark,
        "command": shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *map(_bare, sys.argv[1:])]),
        "load": round(options.load, 2),
        "figure": figure,
        "steps": options.steps,
        "repeats": options.repeats,
        "threads": options.threads,
        **facts,
        "machine": machine(),
    }
    append_jsonl(options.results, line)
    write_text(options.results.with_suffix(".md"), page(read_jsonl(options.results)))


def _bare(argument: str) -> str:
    """An argument without the folders of this machine."""
    return Path(argument).name if argument.startswith(("/", "~")) else argument


PAGE = """# Benchmarks

Written by the commands in `benchmarks/`, newest first. The numbers behind each line are in the file beside this one
that ends in `.jsonl`. `load` is the machine's before the command began: on a quiet one it is near zero.

| date | command | figures | conditions |
|---|---|---|---|
"""


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown."""
    rows = []
    for line in reversed([line for line in lines if line["figure"]]):
        where = line["machine"]
        rows.append(f"| {line['time'][:10]} | `{line['command']}` | {line['figure']} | "
                    f"{where['model'] or where['processor']}, {line['threads']} threads, load {line['load']:g}; "
                    f"{line['steps']} steps, {line['repeats']} repeats |\n")  # fmt: skip
    return PAGE + "".join(rows)


def table(rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned columns, the first of them the heading."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    lines = ["  ".join(text.rjust(width) if at else text.ljust(width)
                       for at, (text, width) in enumerate(zip(row, widths, strict=True)))
             for row in texts]  # fmt: skip
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
