"""Votes as files: raw, and as pairs of a better and a worse answer to train on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from burnish.core.records import Chat
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows
from burnish.evals.arena.ballots import Vote
from burnish.evals.arena.matches import Match


def raw_votes(votes: Sequence[Vote], matches: Sequence[Match]) -> list[dict[str, Any]]:
    """A line a vote with prompt and both answers, which are null where the run no longer holds them."""
    by_answers = {match.answers: match for match in matches}
    return [vote.to_json() | _texts(by_answers.get(vote.answers)) for vote in votes]


def _texts(match: Match | None) -> dict[str, str | None]:
    if match is None:
        return {"prompt": None, "specialist_says": None, "opponent_says": None}
    return {
        "prompt": match.prompt,
        "specialist_says": match.specialist_says,
        "opponent_says": match.opponent_says,
    }


def preference_pairs(votes: Sequence[Vote], matches: Sequence[Match], folder: RunFolder) -> list[dict[str, Any]]:
    """A line for each pair of answers of which one got more votes: prompt, chosen, rejected.

    An empty answer can be no example of anything, so pairs with one are left out.
    """
    rows = {row.id: row for row in read_rows(folder.test) if isinstance(row, Chat)}
    lead: dict[str, int] = {}
    for vote in votes:
        lead[vote.answers] = lead.get(vote.answers, 0) + {"specialist": 1, "opponent": -1}.get(vote.choice, 0)
    return [
        _pair(match, rows.get(match.item), lead[match.answers])
        for match in matches
        if lead.get(match.answers) and match.specialist_says.strip() and match.opponent_says.strip()
    ]


def _pair(match: Match, row: Chat | None, lead: int) -> dict[str, Any]:
    better, worse = match.specialist_says, match.opponent_says
    if lead < 0:
        better, worse = worse, better
    prompt: list[dict[str, Any]] = (
        [message.to_json() for message in row.prompt] if row else [{"role": "user", "content": match.prompt}]
    )
    return {"prompt": prompt, "chosen": better, "rejected": worse}
