"""`burnish arena`: people choose between two answers without knowing whose they are."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from burnish.cli.judging import finished_run
from burnish.cli.runs import say
from burnish.core.errors import RecipeError
from burnish.core.events import record_event
from burnish.core.files import sha256_of_file, write_jsonl
from burnish.core.run_folder import RunFolder
from burnish.evals.arena.ballots import Ballots, Vote
from burnish.evals.arena.exports import preference_pairs, raw_votes
from burnish.evals.arena.matches import find_matches, matches_to_show
from burnish.evals.arena.result import read_arena
from burnish.evals.further import arena_section
from burnish.evals.report import write_report
from burnish.evals.verdict_text import arm_name, write_verdict
from burnish.server.arena_server import open_arena
from burnish.server.own_host import is_loopback


def hold(name: Path, out: Path, host: str, port: int) -> None:
    """Serves the page until Ctrl-C, then says what came out and adds it to verdict.md and report.html."""
    run = finished_run(name, out)
    matches = matches_to_show(run)
    with Ballots(run.arena) as ballots, open_arena(matches, ballots, host=host, port=port) as address:
        say(f"{len(matches)} pairs of answers to choose between, at\n{address}\nStop with Ctrl-C.")
        if not is_loopback(host):
            say("Whoever has this address can vote and read the answers, and the network can read along: no HTTPS.")
        try:
            Event().wait()
        except KeyboardInterrupt:
            say("")
        voted = bool(ballots.votes())
    if voted:
        with run.lock():
            write_verdict(run)
            write_report(run)
            record_event(run.events, "arena", votes=sha256_of_file(run.arena))
        show_result(run)
    else:
        say("no votes")


def show_result(run: RunFolder) -> None:
    """Prints what verdict.md says about the votes."""
    result = read_arena(run) if run.arena.exists() else None
    if result is None or not result.pairs:
        raise RecipeError("There are no votes yet.", where=str(run.path), next_move=f"burnish arena {run.path}")
    section = arena_section(result, arm_name)
    say("\n".join([*section.lines, *(f"  against {': '.join(row[:1])}: {', '.join(row[1:])}" for row in section.rows)]))
    say("\n".join(section.notes))


def report(name: Path, out: Path) -> None:
    """Prints the result so far."""
    show_result(finished_run(name, out))


def export(name: Path, out: Path, votes_file: Path | None, pairs_file: Path | None) -> None:
    """Writes the votes, and the pairs that were preferred. Raises RecipeError: nobody has voted."""
    run = finished_run(name, out)
    matches, votes = find_matches(run), list[Vote]()
    if run.arena.exists():
        with Ballots(run.arena) as ballots:
            votes = ballots.votes()
    if not votes:
        raise RecipeError("There are no votes yet.", where=str(run.path), next_move=f"burnish arena {run.path}")
    if votes_file is not None:
        write_jsonl(votes_file, raw_votes(votes, matches))
        say(f"{len(votes)} votes: {votes_file}")
    if pairs_file is not None:
        pairs = preference_pairs(votes, matches, run)
        write_jsonl(pairs_file, pairs)
        say(f"{len(pairs)} pairs: {pairs_file}")
        say("They come from this run's test rows: a model that is trained on them must be tested on other rows.")
