"""The arena's answers: what a page may ask and what it is told. It never learns which answer is the specialist's,
before or after a vote."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from burnish.evals.arena.ballots import Ballots, Choice
from burnish.evals.arena.matches import Match
from burnish.evals.arena.result import count_pairs
from burnish.server.arena_page import Page, arena_page

LONGEST_NAME = 40  # of a voter


@dataclass(frozen=True)
class Hall:
    """What every request needs. `named`: the host as --host says it."""

    matches: Sequence[Match]
    ballots: Ballots
    named: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    page: Page = field(default_factory=arena_page)


@dataclass(frozen=True)
class Response:
    """A status with a JSON value, or the page."""

    status: int
    value: Mapping[str, Any] | None = None


def answer(hall: Hall, what: str, body: Mapping[str, Any]) -> Response:
    """`next`, `vote` or `undo`, of the voter that the body names. Raises BurnishError: the vote could not be stored."""
    voter = body.get("voter")
    if not isinstance(voter, str) or not voter.isprintable() or not 1 <= len(voter.strip()) <= LONGEST_NAME:
        return Response(400, {"error": f"a name of 1 to {LONGEST_NAME} characters is needed"})
    voter = voter.strip()
    match what:
        case "next":
            return Response(200, state_for(hall, voter))
        case "vote":
            return _vote(hall, voter, body)
        case "undo":
            undone = hall.ballots.undo(voter)
            return Response(200, state_for(hall, voter, first=undone.answers if undone else None))
    return Response(404, {"error": "there is no such page"})


def _vote(hall: Hall, voter: str, body: Mapping[str, Any]) -> Response:
    shown = next((match for match in hall.matches if match.id == body.get("match")), None)
    side = body.get("choice")
    if shown is None or side not in ("left", "right", "tie", "skip"):
        return Response(400, {"error": "not a vote"})
    choice: Choice = side if side in ("tie", "skip") else _whose(shown, side)
    stored = hall.ballots.cast(
        voter, shown.item, shown.opponent, shown.answers, choice, "left" if shown.specialist_is_left else "right"
    )
    # A vote that is sent twice counts once: the first one stands.
    return Response(200 if stored else 409, state_for(hall, voter))


def _whose(shown: Match, side: str) -> Choice:
    return "specialist" if (side == "left") == shown.specialist_is_left else "opponent"


def state_for(hall: Hall, voter: str, *, first: str | None = None) -> dict[str, Any]:
    """What the page shows next: two answers that this voter has not seen, those with the fewest votes first,
    against opponents of which the votes do not say enough yet.

    `first`: the hash of the answers that come before all others. Nothing tells whose answer is whose.
    """
    votes = hall.ballots.votes()
    done = {vote.answers for vote in votes if vote.voter == voter}
    open_matches = [match for match in hall.matches if match.answers not in done]
    open_opponents = {pair.opponent for pair in count_pairs(votes, hall.matches) if pair.status == "go on"}
    state = {
        "voted": len(hall.matches) - len(open_matches),
        "total": len(hall.matches),
        "enough": not open_opponents,
    }
    if not open_matches:
        return {**state, "done": True}
    counts = Counter(vote.answers for vote in votes if vote.choice != "skip")
    shown = min(
        open_matches,
        key=lambda match: (match.answers != first, match.opponent not in open_opponents, counts[match.answers]),
    )
    return {
        **state,
        "done": False,
        "match": shown.id,
        "prompt": shown.prompt,
        "left": shown.left,
        "right": shown.right,
    }
