"""A server under load, the whole of it:

python -m tests.load isolation                10,000 requests over 8 adapters and their base, 200 reloads
python -m tests.load hold --minutes 10        64 streams of the bundled model
python -m tests.load abuse --seconds 30       requests of ill will beside others, and clients that vanish
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from burnish.model.resolve import resolve
from tests.load.abuse import NAME, abuse
from tests.load.ground import make_ground
from tests.load.hold import at_rest, hold, overrun, told
from tests.load.isolation import Report, interleave
from tests.load.server import serving

CAPACITY = 96


def isolation(requests: int, reloads: int, streams: int, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="burnish-load-") as folder:
        report = isolated(Path(folder), requests, reloads, streams, seed)
    print(f"{requests} requests, seed {seed}: {dict(report.found)}; wrong: {len(report.wrong)}")
    for line in report.wrong[:20]:
        print("  " + line)
    return 1 if report.wrong else 0


def isolated(folder: Path, requests: int, reloads: int, streams: int, seed: int) -> Report:
    """Starts a server with the eight adapters, and asks it."""
    ground = make_ground(folder, seed=seed)
    named = [part for name in ground.names for part in ("--adapter", f"{name}={ground.folder(name, 0)}")]
    with serving(
        ["--dtype", "float32", "--model", ground.model, *named, "--adapters", ground.adapters], folder
    ) as running:
        return asyncio.run(
            interleave(running.address, ground, base=ground.model.name, requests=requests, reloads=reloads,
                       streams=streams, seed=seed)
        )  # fmt: skip


def held(minutes: float, streams: int, model: str, dtype: str, threads: int) -> int:
    arguments = ["--model", model, "--dtype", dtype, "--capacity", str(CAPACITY)]
    with (
        tempfile.TemporaryDirectory(prefix="burnish-load-") as folder,
        serving(arguments, Path(folder), threads) as running,
    ):
        started = time.monotonic()
        found = asyncio.run(hold(running, model=model, streams=streams, seconds=60 * minutes))
        seconds = time.monotonic() - started
        rest = asyncio.run(at_rest(running.address))
        many = asyncio.run(overrun(running.address, model=model, count=3 * CAPACITY))
    print("\n".join(told(found, seconds)))
    print(f"at rest afterwards: {rest}")
    statuses = Counter(one.status for one in many)
    polite = all("retry-after" in one.headers for one in many if one.status == 429)
    print(f"{len(many)} at once, capacity {CAPACITY}: {dict(statuses)}; Retry-After on all refusals: {polite}")
    good = {one.status for one in found.answers} == {200} and not found.lost() and rest and polite
    return 0 if good and set(statuses) == {200, 429} else 1


def abused(seconds: float, model: str, dtype: str, threads: int) -> int:
    """Serves the model under the name that the requests know."""
    with tempfile.TemporaryDirectory(prefix="burnish-load-") as name:
        path = Path(name) / f"{NAME}.gguf"
        path.symlink_to(resolve(model))
        with serving(["--model", path, "--dtype", dtype], Path(name), threads) as running:
            found = asyncio.run(abuse(running, seconds=seconds))
    print("\n".join(found.told()))
    return 0 if found.good() else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=["isolation", "hold", "abuse"])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--reloads", type=int, default=200)
    parser.add_argument("--streams", type=int, default=0, help="24 for isolation, 64 for hold")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=30, help="of abuse, and before it of none")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "isolation":
        return isolation(asked.requests, asked.reloads, asked.streams or 24, asked.seed)
    if asked.what == "abuse":
        return abused(asked.seconds, asked.model, asked.dtype, asked.threads)
    return held(asked.minutes, asked.streams or 64, asked.model, asked.dtype, asked.threads)


if __name__ == "__main__":
    raise SystemExit(main())
