"""Items brought into pairs: every arm has answered the same items, in the order of their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from burnish.core.errors import DataError
from burnish.core.files import read_jsonl
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder


@dataclass(frozen=True)
class Suite:
    """The items of one suite by arm; position i is the same item in every arm."""

    name: str
    arms: Mapping[str, tuple[Item, ...]]

    def scores(self, arm: str, metric: str) -> list[float]:
        """One metric of one arm, in the order of the ids. Raises DataError: an item lacks it."""
        try:
            return [float(item.scores[metric]) for item in self.arms[arm]]
        except KeyError as error:
            lacking = next(item.id for item in self.arms[arm] if metric not in item.scores)
            raise DataError(
                f"An item has no score `{metric}`.",
                where=f"items.jsonl, suite {self.name}, arm {arm}, item {lacking}",
                next_move="run `burnish evaluate` again",
            ) from error

    def metrics(self, arm: str) -> list[str]:
        """The metrics that all items of the arm carry, sorted."""
        return sorted(set.intersection(*(set(item.scores) for item in self.arms[arm])))


def suite_of(items: Sequence[Item], name: str, arms: Sequence[str]) -> Suite:
    """The items of one suite, paired over the arms named.

    Raises DataError: an arm has no item, an item twice, or not the items that the first arm has.
    """
    by_arm: dict[str, tuple[Item, ...]] = {}
    for arm in arms:
        chosen = sorted((item for item in items if item.suite == name and item.arm == arm), key=lambda item: item.id)
        by_arm[arm] = tuple(chosen)
        ids, wanted = [item.id for item in chosen], [item.id for item in by_arm[arms[0]]]
        if not ids or ids != wanted or len(set(ids)) < len(ids):
            odd = min((Counter(ids) - Counter(wanted)) + (Counter(wanted) - Counter(ids)), default="")
            raise DataError(
                f"The arms {arms[0]} and {arm} did not answer the same items once each.",
                where=f"items.jsonl, suite {name}",
                seen=f"{len(wanted)} and {len(ids)} items" + (f"; item {odd}" if odd else ""),
                next_move="run `burnish evaluate` again",
            )
    return Suite(name, by_arm)


def read_items(folder: RunFolder) -> list[Item]:
    """items.jsonl of a run. Raises DataError: a line is no item."""
    items = []
    for place, line in enumerate(read_jsonl(folder.items), 1):
        try:
            items.append(Item.from_json(line))
        except (KeyError, TypeError) as error:
            raise DataError(
                "A line is not an answer of an arm.",
                where=f"{folder.items}:{place}",
                seen=f"no {error}" if isinstance(error, KeyError) else str(line)[:80],
                next_move="run `burnish evaluate` again",
            ) from error
    return items
