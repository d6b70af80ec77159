"""Many streams at once: our server beside llama.cpp's and vLLM's on the same model, machine and requests.

python -m benchmarks.serving                          16 streams, Burnish and llama.cpp (f16), in turn
python -m benchmarks.serving --sides burnish llamacpp vllm --streams 1 16 64
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common import Options, common_options, make_parser, record, run_command, run_module, start, table
from benchmarks.environments import VLLM, python_of
from benchmarks.load import Address, Figures, ask, drive, figures
from burnish.core.errors import BurnishError
from burnish.deploy.loopback import free_port

SUBJECTS = ("a lighthouse", "an old map", "the harvest", "a broken clock", "two brothers", "the last train", "a market",
            "winter", "a letter", "the river", "a garden", "a storm at sea")  # fmt: skip
READY_WITHIN = 240.0  # seconds; vLLM takes the longest
KEY = "benchmark-key-that-guards-nothing"


def bodies(count: int, tokens: int, model: str) -> list[dict[str, Any]]:
    """Requests for long texts, no two alike, greedy, streamed."""
    asked = []
    for number in range(count):
        subject, other = SUBJECTS[number % len(SUBJECTS)], SUBJECTS[(number // len(SUBJECTS) + 5) % len(SUBJECTS)]
        text = (f"Story number {number}. Write a long story about {subject} and {other}. Describe the place, the people"
                " and the weather in detail, say what each of them wants, and end with a question.")  # fmt: skip
        asked.append({"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens,
                      "temperature": 0, "stream": True, "stream_options": {"include_usage": True}})  # fmt: skip
    return asked


@contextmanager
def serving(side: str, options: Options, streams: int) -> Iterator[Address]:
    """A server of that side on a port of its own, ready; ended with all its children."""
    port = free_port()
    log = options.work / "logs" / f"serve-{side}.log"
    process = start(["setsid", *_command(side, options, port, streams)], threads=options.threads, log=log)
    address = Address(port, KEY if side == "burnish" else "")
    try:
        _wait(address, process, log)
        yield address
    finally:
        with_group = os.getpgid(process.pid)
        os.killpg(with_group, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(with_group, signal.SIGKILL)
            process.wait()


def _command(side: str, options: Options, port: int, streams: int) -> list[str | Path]:
    models = options.work / "serving"
    if side == "burnish":
        os.environ["BURNISH_API_KEY"] = KEY
        return [sys.executable, "-m", "burnish", "serve", "--model", "smollm2-135m", "--port", str(port),
                "--dtype", "auto", "--slots", str(max(64, streams))]  # fmt: skip
    if side == "llamacpp":
        return [sys.executable, "-m", "benchmarks.peers.llamacpp_serve", models / "model-f16.gguf", str(port),
                str(streams), str(options.threads)]  # fmt: skip
    cores = f"0-{options.threads - 1}"  # by itself vLLM leaves one core to its front
    os.environ.update(VLLM_CPU_KVCACHE_SPACE="3", VLLM_CPU_OMP_THREADS_BIND=cores, VLLM_NO_USAGE_STATS="1",
                      DO_NOT_TRACK="1")  # fmt: skip
    return [python_of(VLLM, options.work), "-m", "vllm.entrypoints.openai.api_server", "--model", models / "folder",
            "--host", "127.0.0.1", "--port", str(port), "--dtype", "bfloat16", "--max-model-len", "1024",
            "--served-model-name", "smollm2-135m", "--max-num-seqs", str(streams), "--enforce-eager"]  # fmt: skip


def _wait(address: Address, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers a request. Raises BurnishError: it ended, or never does."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        answer = asyncio.run(ask(address, bodies(1, 2, "smollm2-135m")[0]))
        if answer.status == 200 and not answer.error:
            return
        time.sleep(0.5)
    end = "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])
    raise BurnishError("A server did not come up.", where=str(log), seen=end, next_move="read the log")


def once(options: Options, address: Address, streams: int, requests: int, tokens: int) -> Figures:
    """One timed run, after one that is not counted."""
    asyncio.run(drive(address, bodies(streams, 4, "smollm2-135m"), streams))
    started = time.perf_counter()
    answers = asyncio.run(drive(address, bodies(streams + requests, tokens, "smollm2-135m")[streams:], streams))
    return figures(answers, time.perf_counter() - started)


def run(options: Options, sides: list[str], streams: list[int], rounds: int, tokens: int) -> None:
    run_module("benchmarks.materials_serving", options.work / "serving", threads=options.threads,
               log=options.work / "logs" / "materials.log")  # fmt: skip
    found: dict[tuple[str, int], list[Figures]] = {}
    for _ in range(options.repeats):
        for side in sides:
            for count in streams:
                with serving(side, options, count) as address:
                    one = once(options, address, count, rounds * count, tokens)
                print(f"{side}, {count} streams: {one.tokens_per_s:.0f} tokens/s, first after {one.first_median:.2f} s"
                      f" (p95 {one.first_p95:.2f}), failed {one.failed}", flush=True)  # fmt: skip
                found.setdefault((side, count), []).append(one)
    middle = {key: statistics.median(one.tokens_per_s for one in runs) for key, runs in found.items()}
    lines = [[side, count, middle[side, count], *_middles(runs)] for (side, count), runs in found.items()]
    print(table([["side", "streams", "tokens/s", "first s", "p95", "between ms", "failed"], *lines]))
    words = []
    for count in streams:
        others = {side: middle[side, count] for side in sides if side != "burnish"}
        if others and "burnish" in sides:
            best = max(others, key=others.__getitem__)
            words.append(f"{count} streams: {middle['burnish', count] / others[best]:.2f} of {best}'s tokens/s")
    facts = {f"{side} {count}": [asdict(one) for one in runs] for (side, count), runs in found.items()}
    record(options, "serving", {"tokens": tokens, "runs": facts}, "; ".join(words) + " (goal 0.7 of the better)")


def _middles(runs: list[Figures]) -> list[object]:
    """The medians of what is shown beside the rate, and all failures."""
    return [statistics.median(one.first_median for one in runs), statistics.median(one.first_p95 for one in runs),
            1000 * statistics.median(one.between for one in runs), sum(one.failed for one in runs)]  # fmt: skip


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=3)
    parser.add_argument("--sides", nargs="+", choices=["burnish", "llamacpp", "vllm"], default=["burnish", "llamacpp"])
    parser.add_argument("--streams", nargs="+", type=int, default=[16])
    parser.add_argument("--rounds", type=int, default=3, help="requests of each stream")
    parser.add_argument("--tokens", type=int, default=64, help="of each answer, at most")
    parsed = parser.parse_args()
    run(common_options(parsed), parsed.sides, parsed.streams, parsed.rounds, parsed.tokens)


if __name__ == "__main__":
    run_command(main)
