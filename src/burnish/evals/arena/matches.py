"""Pairs of answers to one prompt, the specialist's and an opponent's, as they are put before a person: blind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from burnish.core.errors import RecipeError
from burnish.core.files import read_json, sha256_of_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.paired_items import read_items


@dataclass(frozen=True)
class Match:
    """Two answers to one test item. `answers` is the hash of prompt and both, `id` what a page may know of it."""

    id: str
    item: str
    opponent: str
    prompt: str
    specialist_says: str
    opponent_says: str
    answers: str
    specialist_is_left: bool

    @property
    def left(self) -> str:
        return self.specialist_says if self.specialist_is_left else self.opponent_says

    @property
    def right(self) -> str:
        return self.opponent_says if self.specialist_is_left else self.specialist_says


def find_matches(folder: RunFolder) -> list[Match]:
    """All pairs of differing answers to the task, in an order and with sides that depend on seed and item alone."""
    plan = read_json(folder.arms)
    if plan["task"]["metric"] == "preference":
        return []  # the answers are the data's own
    specialist, seed = str(plan["specialist"]), int(plan.get("seed", 0))
    answers: dict[str, dict[str, Item]] = {}
    for item in read_items(folder):
        if item.suite == "task":
            answers.setdefault(item.id, {})[item.arm] = item
    matches = [
        _match(arms[specialist], arms[opponent], seed)
        for arms in answers.values()
        for opponent in plan["opponents"]
        if arms[specialist].output.strip() != arms[opponent].output.strip()
    ]
    return sorted(matches, key=lambda match: match.id)


def matches_to_show(folder: RunFolder) -> list[Match]:
    """`find_matches` that insists. Raises RecipeError: no arm wrote an answer, or all wrote the same."""
    matches = find_matches(folder)
    if not matches:
        raise RecipeError(
            "There is nothing to compare: the arms wrote no answers, or the same ones.",
            where=str(folder.path),
            next_move="take a run whose test rows are conversations",
        )
    return matches


def _match(ours: Item, theirs: Item, seed: int) -> Match:
    return Match(
        id=_digest(seed, "match", ours.id, theirs.arm)[:16],
        item=ours.id,
        opponent=theirs.arm,
        prompt=ours.prompt,
        specialist_says=ours.output,
        opponent_says=theirs.output,
        answers=sha256_of_json([ours.prompt, ours.output, theirs.output]),
        specialist_is_left=int(_digest(seed, "side", ours.id, theirs.arm), 16) % 2 == 0,
    )


def _digest(seed: int, *parts: str) -> str:
    return hashlib.sha256("\0".join((str(seed), *parts)).encode("utf-8", "surrogatepass")).hexdigest()
