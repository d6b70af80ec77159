"""How long does the data stage take, and does its cost grow with the number of rows alone?

python -m benchmarks.preparing                      10,000, 30,000 and 100,000 rows
python -m benchmarks.preparing --counts 1000000     a million alone

The picture shows the newest result for each number of rows.
"""

from __future__ import annotations

import random
import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import burnish
from benchmarks import ours
from benchmarks.common import (
    REPOSITORY,
    Options,
    common_options,
    finish,
    make_parser,
    record,
    run_command,
    start,
    table,
)
from burnish.core.files import read_jsonl, write_jsonl, write_text
from burnish.data.cleaning.language import guess, languages

COUNTS = (10_000, 30_000, 100_000)
GOAL_ROWS, GOAL_SECONDS, GOAL_MB = 100_000, 60.0, 2048
DOUBLED, NEARLY = 0.02, 0.02  # shares of rows that repeat an earlier one, word for word or with one word changed
PICTURE = REPOSITORY / "docs" / "pictures" / "preparing.svg"


def rows(count: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """Questions of 10 to 30 words and answers of 20 to 100, drawn word by word after the texts that come with Burnish:
    which word follows which is theirs, so that tokens and letters are as in English prose."""
    suite = read_jsonl(Path(burnish.__file__).parent / "evals/suites/general_text.jsonl")
    texts = [row["text"].split() for row in suite if guess(row["text"])[0] == languages().index("en")]
    following: defaultdict[str, list[str]] = defaultdict(list)
    for words in texts:
        for one, other in pairwise(words):
            following[one].append(other)
    first = [words[0] for words in texts]
    rng = random.Random(seed)
    recent: list[dict[str, str]] = []
    for _ in range(count):
        chance = rng.random()
        if recent and chance < DOUBLED:
            yield rng.choice(recent)
        elif recent and chance < DOUBLED + NEARLY:
            earlier = rng.choice(recent)
            yield {**earlier, "completion": earlier["completion"].replace(" the ", " a ", 1)}
        else:
            row = {"prompt": _said(following, first, rng, rng.randint(10, 30)) + "?",
                   "completion": _said(following, first, rng, rng.randint(20, 100)) + "."}  # fmt: skip
            recent = [*recent[-99:], row]
            yield row


def _said(following: dict[str, list[str]], first: list[str], rng: random.Random, count: int) -> str:
    words = [rng.choice(first)]
    while len(words) < count:
        words.append(rng.choice(following.get(words[-1]) or first))
    return " ".join(words).rstrip(".,;?")


def once(options: Options, count: int) -> dict[str, float]:
    """The real `burnish prepare` on so many rows: seconds, seconds of all processes, and their memory together."""
    file = options.work / "data" / f"preparing-english-{count}.jsonl"
    if not file.exists():
        write_jsonl(file, rows(count))
    name = f"preparing-{count}"
    recipe = ours.write_recipe(options, name, {"model": {"name": "smollm2-135m"}, "data": {"train": str(file)}})
    log, peak_kb = options.work / "logs" / f"{name}.log", [0]
    command = ours.burnish("prepare", options, recipe, name)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = start(command, threads=options.threads, log=log)
    done = finish(process, started, log, lambda: _note_memory(process.pid, peak_kb))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return {"rows": count, "seconds": done.seconds, "cpu_seconds": cpu, "peak_mb": peak_kb[0] // 1024}


def _note_memory(parent: int, peak_kb: list[int]) -> None:
    """Memory of a process and its children, what they share counted once (PSS); looked at four times a second."""
    if int(time.perf_counter() * 50) % 12:
        return
    total = 0
    for process in (parent, *_children(parent)):
        with suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    peak_kb[0] = max(peak_kb[0], total)


def _children(parent: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def draw(found: list[dict[str, float]]) -> str:
    """Seconds over rows, both from 0: a straight line is a cost that grows with the rows alone."""
    width, height, left, bottom = 640, 360, 60, 40
    most_rows, most_seconds = max(one["rows"] for one in found), max(one["seconds"] for one in found)

    def place(one: dict[str, float]) -> tuple[float, float]:
        return (left + (width - left - 20) * one["rows"] / most_rows,
                height - bottom - (height - bottom - 30) * one["seconds"] / most_seconds)  # fmt: skip

    style = 'font-family="sans-serif" font-size="12" fill="#444"'
    points = [(left, height - bottom), *map(place, found)]
    line = f'<polyline fill="none" stroke="#1f6feb" points="{" ".join(f"{x:.0f},{y:.0f}" for x, y in points)}"/>'
    marks = [
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#1f6feb"/>'
        f'<text x="{x - 6:.0f}" y="{y - 8:.0f}" text-anchor="end" {style}>'
        f"{one['rows']:,.0f}: {one['seconds']:.0f} s</text>"
        for one, (x, y) in zip(found, points[1:], strict=True)
    ]
    axes = (f'<path d="M{left},20 V{height - bottom} H{width - 10}" fill="none" stroke="#888"/>'
            f'<text x="{width / 2}" y="{height - 10}" {style}>rows</text>'
            f'<text x="10" y="20" {style}>seconds</text>')  # fmt: skip
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
            f'<rect width="100%" height="100%" fill="#fff"/>{axes}{line}{"".join(marks)}</svg>\n')  # fmt: skip


def run(options: Options, counts: Sequence[int]) -> None:
    found = []
    for count in counts:
        one = once(options, count)
        found.append(one)
        figure = (f"{count:,} rows prepared in {one['seconds']:.0f} s ({1e3 * one['seconds'] / count:.2f} ms a row), "
                  f"{one['cpu_seconds']:.0f} s of CPU, {one['peak_mb']:,} MB")  # fmt: skip
        if count == GOAL_ROWS:
            figure += f"; goal under {GOAL_SECONDS:.0f} s and {GOAL_MB:,} MB"
        print(figure)
        record(options, "preparing", one, figure)
    print(table([list(found[0]), *(list(one.values()) for one in found)]))
    newest = {line["rows"]: line for line in read_jsonl(options.results) if line["benchmark"] == "preparing"}
    write_text(PICTURE, draw([newest[count] for count in sorted(newest)]))


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=1)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of rows")
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.counts)


if __name__ == "__main__":
    run_command(main)
