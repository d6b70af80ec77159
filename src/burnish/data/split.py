"""Train, dev, test: by group, a pure function of the seed and the groups, each label on every side where it can be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.core.errors import DataError
from burnish.core.records import Chat, Row
from burnish.data.group import by_group
from burnish.data.sample import shuffled
from burnish.data.shape import answer_shape

FEWEST_ROWS = 12  # without a test file: 2 for test, 3 for dev, 7 to learn from
FEWEST_BESIDE_TEST = 4
MOST_TEST_ROWS = 1000
FEWEST_DEV_ROWS = 20
MOST_DEV_ROWS = 200
Group = list[Row]


@dataclass(frozen=True)
class Parts:
    """The three parts, never mixed."""

    train: list[Row]
    dev: list[Row]
    test: list[Row]


def size_of_test(rows: int, share: float) -> int:
    """Rows to hold out for the verdict, of `rows` in all."""
    return min(MOST_TEST_ROWS, max(1, round(share * rows)))


def size_of_dev(rows: int, share: float) -> int:
    """Rows for early stop and prompts, of `rows` that are not test: 20 to 200, never more than a third."""
    return max(1, min(MOST_DEV_ROWS, max(FEWEST_DEV_ROWS, round(share * rows)), rows // 3))


def split(
    rows: Sequence[Row],
    *,
    own_dev: Sequence[Row] | None,
    own_test: Sequence[Row] | None,
    shares: tuple[float, float],
    seed: int,
) -> Parts:
    """Takes test, then dev, from the rows where the user gave no file of their own. `shares` are those of test and dev.

    Raises DataError: too few rows, or too few different prompts.
    """
    test_share, dev_share = shares
    needed = FEWEST_ROWS if own_test is None else FEWEST_BESIDE_TEST if own_dev is None else 1
    if len(rows) < needed:
        raise DataError(
            f"{len(rows)} rows are too few to learn from and to hold some out.",
            seen=f"{len(rows)} usable rows",
            next_move=f"give at least {needed} rows" + (", or a test file of your own" if own_test is None else ""),
        )
    rest, test, dev = list(rows), own_test, own_dev
    if test is None:
        rest, test = hold_out(rest, size_of_test(len(rest), test_share), seed=seed, purpose="test")
    if dev is None:
        rest, dev = hold_out(rest, size_of_dev(len(rest), dev_share), seed=seed, purpose="dev")
    return Parts(rest, list(dev), list(test))


def hold_out(rows: Sequence[Row], count: int, *, seed: int, purpose: str) -> tuple[list[Row], list[Row]]:
    """Splits off about `count` rows in whole groups, never more. Returns (the rest, the part held out).

    Rows whose answers are labels are drawn label by label, and the last group of a label always stays in the rest.

    Raises DataError: no group is small enough to be held out.
    """
    stratified = answer_shape(rows).kind == "label"
    strata: dict[str, list[Group]] = defaultdict(list)
    for group in by_group(rows).values():
        strata[_label(group) if stratified else ""].append(group)
    rows_of_stratum = {label: sum(map(len, groups)) for label, groups in strata.items() if len(groups) > 1}
    held = {
        row.id
        for label, quota in _quotas(rows_of_stratum, count).items()
        for group in _fill(shuffled(strata[label], lambda group: group[0].group, seed=seed, purpose=purpose), quota)
        for row in group
    }
    if not held:
        raise DataError(
            f"No rows can be held out for {purpose}: too few different prompts.",
            seen=f"{len(rows)} rows with {sum(map(len, strata.values()))} different prompts",
            next_move=f"give rows with more different prompts, or a {purpose} file of your own",
        )
    return [row for row in rows if row.id not in held], [row for row in rows if row.id in held]


def _label(group: Group) -> str:
    """The commonest answer of a group, the first by name of equally common ones."""
    counts = Counter(row.answer.strip() for row in group if isinstance(row, Chat))
    return min(counts, key=lambda label: (-counts[label], label))


def _fill(groups: Sequence[Group], quota: int) -> list[Group]:
    """Groups in order while they fit into the quota; one group at least is left over."""
    taken: list[Group] = []
    room = quota
    for group in groups:
        if len(group) <= room and len(taken) < len(groups) - 1:
            taken.append(group)
            room -= len(group)
    return taken


def _quotas(sizes: dict[str, int], count: int) -> dict[str, int]:
    """Shares `count` over the labels in proportion to their rows (largest remainders), 1 each if it suffices."""
    total = sum(sizes.values())
    labels = sorted(sizes)
    quotas = {label: count * sizes[label] // total for label in labels}
    by_remainder = sorted(labels, key=lambda label: (-(count * sizes[label] % total), label))
    for label in by_remainder[: count - sum(quotas.values())]:
        quotas[label] += 1
    for label in labels:
        donor = max(labels, key=lambda one: quotas[one])
        if quotas[label] == 0 and quotas[donor] > 1:
            quotas[donor] -= 1
            quotas[label] += 1
    return quotas
