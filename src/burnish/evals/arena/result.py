"""What the votes of people come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from burnish.core.files import read_json
from burnish.core.run_folder import RunFolder
from burnish.evals.arena.ballots import Ballots, Choice, Vote
from burnish.evals.arena.matches import Match, find_matches
from burnish.evals.arena.stopping import anytime_rate, says
from burnish.evals.arena.strength import Strength, strengths


@dataclass(frozen=True)
class PairResult:
    """The specialist against one opponent, by the first vote on each pair of answers; skipped ones do not count."""

    opponent: str
    won: int
    lost: int
    tied: int
    rate: float
    low: float
    high: float
    status: str


@dataclass(frozen=True)
class ArenaResult:
    """`votes`: all that count; `outdated`: those on answers that the run no longer holds. `shared`: pairs of answers
    with several votes, on which `agreed` of them are of one mind."""

    votes: int
    voters: int
    outdated: int
    shared: int
    agreed: int
    pairs: tuple[PairResult, ...]
    strengths: tuple[Strength, ...]


def read_arena(folder: RunFolder) -> ArenaResult:
    """The result of a run's votes so far."""
    with Ballots(folder.arena) as ballots:
        return count_votes(ballots.votes(), find_matches(folder), str(read_json(folder.arms)["specialist"]))


def count_votes(votes: Sequence[Vote], matches: Sequence[Match], specialist: str, *, seed: int = 0) -> ArenaResult:
    """A pure function of the votes, in the order in which they were cast."""
    known = {match.answers for match in matches}
    current = [vote for vote in votes if vote.answers in known and vote.choice != "skip"]
    by_match = _by_match(current)
    several = [choices for choices in by_match.values() if len(choices) > 1]
    met = list(dict.fromkeys(opponent for _, opponent in by_match))
    return ArenaResult(
        votes=len(current),
        voters=len({vote.voter for vote in current}),
        outdated=sum(vote.answers not in known for vote in votes),
        shared=len(several),
        agreed=sum(len(set(choices)) == 1 for choices in several),
        pairs=count_pairs(votes, matches) if current else (),
        strengths=_strengths(current, specialist, met, seed) if current else (),
    )


def count_pairs(votes: Sequence[Vote], matches: Sequence[Match]) -> tuple[PairResult, ...]:
    """The specialist against each opponent, voted on or not yet."""
    known = {match.answers for match in matches}
    by_match = _by_match([vote for vote in votes if vote.answers in known and vote.choice != "skip"])
    possible = Counter(match.opponent for match in matches)
    return tuple(_pair(opponent, by_match, count) for opponent, count in sorted(possible.items()))


def _by_match(votes: Sequence[Vote]) -> dict[tuple[str, str], list[Choice]]:
    found: dict[tuple[str, str], list[Choice]] = {}
    for vote in votes:
        found.setdefault((vote.item, vote.opponent), []).append(vote.choice)
    return found


def _pair(opponent: str, by_match: Mapping[tuple[str, str], Sequence[Choice]], possible: int) -> PairResult:
    first = [choices[0] for (_, other), choices in by_match.items() if other == opponent]
    won, lost, tied = (first.count(choice) for choice in ("specialist", "opponent", "tie"))
    rate = anytime_rate(won, tied, lost)
    status = says(rate, possible - len(first))
    return PairResult(opponent, won, lost, tied, rate.rate, rate.low, rate.high, status)


def _strengths(votes: Iterable[Vote], specialist: str, opponents: Sequence[str], seed: int) -> tuple[Strength, ...]:
    arms = [specialist, *opponents]
    by_item: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    for vote in votes:
        wins = by_item.setdefault(vote.item, np.zeros((len(arms), len(arms))))
        other = arms.index(vote.opponent)
        ours = {"specialist": 1.0, "tie": 0.5}.get(vote.choice, 0.0)
        wins[0, other] += ours
        wins[other, 0] += 1 - ours
    return strengths(arms, np.stack(list(by_item.values())), seed=seed)
