"""Matches, votes and what they come to: blind sides, several voters, exports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import BurnishError
from burnish.core.files import write_json, write_jsonl
from burnish.core.records import Chat, Item, Message
from burnish.core.run_folder import RunFolder
from burnish.evals.arena.ballots import Ballots, Choice
from burnish.evals.arena.exports import preference_pairs, raw_votes
from burnish.evals.arena.matches import Match, find_matches
from burnish.evals.arena.result import ArenaResult, count_votes, read_arena


def run_of(folder: Path, n: int = 40, opponents: Sequence[str] = ("base",), seed: int = 0) -> RunFolder:
    """n items; every arm answers with its name, item 0 with the same text in all arms."""
    run = RunFolder(folder)
    run.create()
    items, rows = [], []
    for place in range(n):
        for arm in (*opponents, "tuned"):
            output = f"{arm} says {place}" if place else "the same"
            items.append(Item("task", f"t{place}", arm, f"q{place}", "x", output, {"chrf": 0.5}).to_json())
        messages = (Message("system", "Be kind."), Message("user", f"q{place}"), Message("assistant", "x"))
        rows.append(Chat(f"t{place}", messages).to_json())
    write_jsonl(run.items, items)
    run.data.mkdir(exist_ok=True)
    write_jsonl(run.test, rows)
    plan: dict[str, Any] = {
        "specialist": "tuned", "opponents": list(opponents), "task": {"metric": "chrf"}, "suites": [], "seed": seed,
    }  # fmt: skip
    write_json(run.arms, plan)
    return run


def cast(ballots: Ballots, voter: str, match: Match, choice: Choice) -> bool:
    return ballots.cast(voter, match.item, match.opponent, match.answers, choice, "left")


def result_of(run: RunFolder, choices: Sequence[Choice]) -> ArenaResult:
    with Ballots(run.arena) as ballots:
        for match, choice in zip(find_matches(run), choices, strict=False):
            cast(ballots, "ada", match, choice)
    return read_arena(run)


def test_equal_answers_are_no_match_and_sides_depend_on_seed_and_item_alone(tmp_path: Path) -> None:
    matches = find_matches(run_of(tmp_path, opponents=("base", "prompted")))
    assert len(matches) == 78  # 39 items, two opponents
    again = find_matches(run_of(tmp_path, opponents=("base", "prompted")))
    assert matches == again
    other = {match.item: match for match in find_matches(run_of(tmp_path, seed=1))}
    left = sum(match.specialist_is_left for match in matches)
    assert 25 <= left <= 53  # 39 ± 3 standard deviations of √(78/4)
    assert any(match.specialist_is_left != other[match.item].specialist_is_left for match in matches)
    for match in matches:
        assert {match.left, match.right} == {match.specialist_says, match.opponent_says}
        assert "base" not in match.id
        assert "tuned" not in match.id


def test_a_vote_counts_once_and_can_be_taken_back(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    first, second, *_ = find_matches(run)
    with Ballots(run.arena) as ballots:
        assert cast(ballots, "ada", first, "specialist")
        assert not cast(ballots, "ada", first, "opponent")
        assert cast(ballots, "bob", first, "opponent")
        assert cast(ballots, "ada", second, "tie")
        assert [vote.choice for vote in ballots.votes()] == ["specialist", "opponent", "tie"]
        undone = ballots.undo("ada")
        assert undone is not None
        assert undone.item == second.item
        assert [vote.voter for vote in ballots.votes()] == ["ada", "bob"]
        assert ballots.undo("carl") is None
    with Ballots(run.arena) as ballots:
        assert len(ballots.votes()) == 2


def test_the_first_vote_on_a_match_decides_and_agreement_is_counted(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    matches = find_matches(run)
    with Ballots(run.arena) as ballots:
        cast(ballots, "ada", matches[0], "specialist")
        cast(ballots, "bob", matches[0], "opponent")
        cast(ballots, "ada", matches[1], "tie")
        cast(ballots, "bob", matches[1], "tie")
        cast(ballots, "bob", matches[2], "skip")
    result = read_arena(run)
    (pair,) = result.pairs
    assert (pair.won, pair.tied, pair.lost, pair.status) == (1, 1, 0, "go on")
    assert (result.votes, result.voters, result.shared, result.agreed) == (4, 2, 2, 1)
    strong, weak = result.strengths  # 1 win, 1 loss, 2 ties
    assert strong.value == pytest.approx(weak.value) == pytest.approx(0)


def test_a_clear_preference_is_enough(tmp_path: Path) -> None:
    result = result_of(run_of(tmp_path), ["specialist"] * 15)
    assert result.pairs[0].status == "enough: specialist preferred"
    assert result.strengths[0].arm == "tuned"
    assert result.strengths[0].low > 0


def test_two_opponents_are_judged_apart(tmp_path: Path) -> None:
    run = run_of(tmp_path, opponents=("base", "prompted"))
    with Ballots(run.arena) as ballots:
        for match in find_matches(run):
            cast(ballots, "ada", match, "specialist" if match.opponent == "base" else "opponent")
    by_opponent = {pair.opponent: pair.status for pair in read_arena(run).pairs}
    assert by_opponent == {"base": "enough: specialist preferred", "prompted": "enough: opponent preferred"}
    assert [one.arm for one in sorted(read_arena(run).strengths, key=lambda one: one.value)] == [
        "base", "tuned", "prompted",
    ]  # fmt: skip


def test_votes_on_answers_of_an_earlier_evaluation_are_left_out(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    result_of(run, ["specialist"] * 5)
    items = run.items.read_text("utf-8").replace("tuned says", "tuned now says")
    run.items.write_text(items, "utf-8")
    result = read_arena(run)
    assert (result.votes, result.outdated, result.pairs) == (0, 5, ())


def test_exports(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    matches = find_matches(run)
    with Ballots(run.arena) as ballots:
        for match, choice in zip(matches, ("specialist", "opponent", "tie", "skip"), strict=False):
            cast(ballots, "ada", match, choice)  # type: ignore[arg-type]
        cast(ballots, "bob", matches[0], "specialist")
        votes = ballots.votes()
    raw = raw_votes(votes, matches)
    assert len(raw) == 5
    assert raw[0]["prompt"] == matches[0].prompt
    assert raw[0]["choice"] == "specialist"
    pairs = preference_pairs(votes, matches, run)
    system = {"role": "system", "content": "Be kind."}
    assert pairs == [
        {
            "prompt": [system, {"role": "user", "content": matches[0].prompt}],
            "chosen": matches[0].specialist_says,
            "rejected": matches[0].opponent_says,
        },
        {
            "prompt": [system, {"role": "user", "content": matches[1].prompt}],
            "chosen": matches[1].opponent_says,
            "rejected": matches[1].specialist_says,
        },
    ]


def test_the_count_is_a_function_of_the_votes(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    result_of(run, ["specialist", "tie", "opponent", "skip"])
    with Ballots(run.arena) as ballots:
        votes = ballots.votes()
    assert count_votes(votes, find_matches(run), "tuned") == count_votes(votes, find_matches(run), "tuned")


def test_a_file_that_is_no_database_is_said_and_kept(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.arena.write_bytes(b"not a database at all, but long enough to be looked at" * 9)
    with pytest.raises(BurnishError, match="votes cannot be read"), Ballots(run.arena):
        pass
    assert run.arena.exists()


VOTER = """
import sys
from pathlib import Path
from burnish.evals.arena.ballots import Ballots
with Ballots(Path(sys.argv[1])) as ballots:
    for number in range(10**6):
        ballots.cast("ada", f"t{number}", "base", "h", "tie", "left")
        print(number, flush=True)
"""


def test_kill_9_between_votes_loses_none_that_was_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "arena.sqlite"
    voting = subprocess.Popen([sys.executable, "-c", VOTER, str(path)], stdout=subprocess.PIPE, text=True)
    assert voting.stdout is not None
    confirmed = [int(voting.stdout.readline()) for _ in range(25)]
    os.kill(voting.pid, signal.SIGKILL)
    confirmed += [int(line) for line in voting.stdout.read().split("\n") if line]
    voting.wait()
    with Ballots(path) as ballots:
        kept = {vote.item for vote in ballots.votes()}
    assert {f"t{number}" for number in confirmed} <= kept
    assert len(kept) <= len(confirmed) + 1  # one may be stored and not yet told
