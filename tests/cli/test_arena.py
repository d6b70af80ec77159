"""`burnish arena`: served until it is stopped, no vote lost when it is killed, votes exported and trained on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from burnish.core.events import first_broken_line
from burnish.core.files import append_jsonl, read_jsonl, write_json, write_jsonl, write_text
from burnish.core.records import Chat, Item, Message
from burnish.core.run_folder import RunFolder
from burnish.evals.verdict_text import write_verdict
from tests.cli.run_cli import burnish


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """An evaluated run of 30 items in which every answer differs."""
    run = RunFolder(tmp_path / "one")
    run.data.mkdir(parents=True)
    for n in range(30):
        for arm in ("base", "tuned"):
            answer = f"{arm} answers question {n} at some length"
            append_jsonl(run.items, Item("task", f"t{n}", arm, f"q{n}?", "x", answer, {"chrf": 0.1 * n}).to_json())
    rows = [Chat(f"t{n}", (Message("user", f"q{n}?"), Message("assistant", "x"))).to_json() for n in range(30)]
    write_jsonl(run.test, rows)
    write_json(run.arms, {"specialist": "tuned", "opponents": ["base"], "task": {"metric": "chrf"}, "seed": 0})
    write_json(run.stages, {})
    write_text(run.recipe, "train: {seed: 0}\n")
    write_verdict(run)
    return run


@contextlib.contextmanager
def served(run: RunFolder) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "burnish", "arena", str(run.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, next(line.strip() for line in process.stdout if line.startswith("http"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(address: str, what: str, **body: Any) -> dict[str, Any]:
    content = json.dumps({"voter": "ada", **body}).encode()
    request = urllib.request.Request(address + what, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        state: dict[str, Any] = json.load(response)
        return state


def vote_for_the_specialist(address: str, votes: int) -> None:
    state = ask(address, "next")
    for _ in range(votes):
        choice = "left" if state["left"].startswith("tuned") else "right"
        state = ask(address, "vote", match=state["match"], choice=choice)


def test_a_killed_arena_loses_no_vote_and_a_stopped_one_says_what_came_out(run: RunFolder, tmp_path: Path) -> None:
    with served(run) as (process, address):
        vote_for_the_specialist(address, 12)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with served(run) as (process, address):
        assert ask(address, "next")["voted"] == 12
        assert ask(address, "next", voter="bob")["voted"] == 0
        vote_for_the_specialist(address, 3)
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait(20) == 0
    assert "15 blind votes by 1 person." in said
    assert "15 / 0 / 0" in said
    assert "enough: specialist preferred" in said
    assert "## What people preferred" in run.verdict_md.read_text("utf-8")
    assert "What people preferred" in run.report.read_text("utf-8")
    assert first_broken_line(run.events) is None
    recomputed = burnish("verdict", "one", "--recompute", "--out", tmp_path)
    assert recomputed.code == 0, recomputed.err

    files = tmp_path / "votes.jsonl", tmp_path / "pairs.jsonl"
    exported = burnish("arena", "one", "--export", files[0], "--export-pairs", files[1], "--result", "--out", tmp_path)
    assert exported.code == 0, exported.err
    assert "must be tested on other rows" in exported.out
    votes, pairs = map(read_jsonl, files)
    assert {vote["choice"] for vote in votes} == {"specialist"}
    assert all(pair["chosen"].startswith("tuned") and pair["rejected"].startswith("base") for pair in pairs)
    assert len(votes) == len(pairs) == 15


def test_the_pairs_are_recognised_as_preferences(run: RunFolder, tiny_folder: Path, tmp_path: Path) -> None:
    pairs = [
        {
            "prompt": [{"role": "user", "content": f"How do I reset device {n}?"}],
            "chosen": f"Press {n}.",
            "rejected": "No.",
        }
        for n in range(30)
    ]
    write_jsonl(tmp_path / "pairs.jsonl", pairs)
    done = burnish("prepare", "--model", tiny_folder, "--data", tmp_path / "pairs.jsonl", "--set",
                   "objective.type=dpo", "--name", "next", "--out", tmp_path)  # fmt: skip
    assert done.code == 0, done.err
    assert "preference (prompt, chosen, rejected; 30 rows)" in done.out


def test_without_votes_or_answers_it_says_so(run: RunFolder, tmp_path: Path) -> None:
    for arguments in (("--result",), ("--export", tmp_path / "v.jsonl")):
        result = burnish("arena", "one", *arguments, "--out", tmp_path)
        assert result.code == 2
        assert "no votes yet" in result.err
    write_jsonl(run.items, [{**line, "output": "same"} for line in read_jsonl(run.items)])
    nothing = burnish("arena", "one", "--out", tmp_path)
    assert nothing.code == 2
    assert "nothing to compare" in nothing.err
