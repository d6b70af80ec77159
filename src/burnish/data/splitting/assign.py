"""Which part a row belongs to: by group always, by label where there is one, by time where a column says it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import DataError
from burnish.data.mix.chance import Keys, ranks
from burnish.data.splitting.sizes import Sizes

TRAIN, DEV, TEST = np.int8(0), np.int8(1), np.int8(2)
Codes = NDArray[np.int8]
Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class _Groups:
    """G groups of N rows: `number_N` is the group of each row. A group is named by the smallest key in it, has the
    commonest stratum of its rows (the first of equally common ones), and was first seen with its oldest row."""

    number_N: Numbers
    rows_G: Numbers
    name_G: Keys
    stratum_G: Numbers
    seen_G: NDArray[np.float64] | None


def assign(
    group_N: Keys,
    key_N: Keys,
    stratum_N: Numbers | None,
    time_N: NDArray[np.float64] | None,
    sizes: Sizes,
    seed: int,
) -> Codes:
    """TRAIN, DEV or TEST for each of N rows, in whole groups; a pure function of the arguments, whatever the order of
    the rows. About as many rows are held out as `sizes` says, never more.

    With strata (labels as numbers) each is on every side where it can be; its last group always stays in train. With
    times the newest groups are the test and the ones before them dev, and strata play no part: a group counts as old as
    its oldest row, so a new row that says what an older one says goes with that one, and nothing in the test was said
    before. Rows without a time (NaN) are train.

    Raises DataError: no group is small enough to be held out, or no row has a time.
    """
    if time_N is not None and np.isnan(time_N).all():
        raise DataError(
            "The column of times holds no time that can be read.",
            seen=f"{len(time_N)} rows without a date or a number",
            next_move="write dates as 2024-03-01 or 2024-03-01T12:00:00Z, or leave out `time`",
        )
    groups = _groups(group_N, key_N, stratum_N, time_N)
    part_G = np.full(len(groups.rows_G), TRAIN)
    for part, purpose, count in ((TEST, "test", sizes.test), (DEV, "dev", sizes.dev)):
        if not count:
            continue
        free_G = np.flatnonzero(part_G == TRAIN)
        order_G = free_G[np.argsort(ranks(groups.name_G[free_G], seed, purpose), kind="stable")]
        held = _stratified(groups, order_G, count) if groups.seen_G is None else _newest(groups, order_G, count)
        if not len(held):
            raise DataError(
                f"No rows can be held out for {purpose}: too few different prompts.",
                seen=f"{groups.rows_G[free_G].sum()} rows with {len(free_G)} different prompts",
                next_move=f"give rows with more different prompts, or a {purpose} file of your own",
            )
        part_G[held] = part
    return part_G[groups.number_N]


def newer_than_test(time_N: NDArray[np.float64], part_N: Codes) -> int:
    """How many rows of train and dev are newer than the oldest of the test, for saying what an older one says."""
    return int(np.sum(time_N[part_N != TEST] > time_N[part_N == TEST].min()))


def _groups(group_N: Keys, key_N: Keys, stratum_N: Numbers | None, time_N: NDArray[np.float64] | None) -> _Groups:
    _, number_N, rows_G = np.unique(group_N, return_inverse=True, return_counts=True)
    name_G = np.full(len(rows_G), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(name_G, number_N, key_N)
    stratum_G = np.zeros(len(rows_G), np.int64) if stratum_N is None else _commonest(number_N, stratum_N)
    seen_G = None
    if time_N is not None:
        seen_G = np.full(len(rows_G), np.inf)
        np.minimum.at(seen_G, number_N, np.nan_to_num(time_N, nan=-np.inf, posinf=np.inf, neginf=-np.inf))
    return _Groups(number_N, rows_G, name_G, stratum_G, seen_G)


def _commonest(number_N: Numbers, stratum_N: Numbers) -> Numbers:
    """The commonest stratum of each group, the smallest number of equally common ones."""
    order_N = np.lexsort((stratum_N, number_N))
    group_N, own_N = number_N[order_N], stratum_N[order_N]
    begins_N = np.append(True, (np.diff(group_N) != 0) | (np.diff(own_N) != 0))
    starts_P = np.flatnonzero(begins_N)
    count_P = np.diff(np.append(starts_P, len(order_N)))
    rarest_first = starts_P[np.lexsort((-own_N[starts_P], count_P))]
    stratum_G = np.zeros(number_N.max() + 1, np.int64)
    stratum_G[group_N[rarest_first]] = own_N[rarest_first]  # the last to be written stays
    return stratum_G


def _newest(groups: _Groups, order_G: Numbers, count: int) -> Numbers:
    """The newest groups, up to the first that does not fit; one is always left over. Groups that are larger than all
    that is held out are passed over, and chance decides between equally new ones."""
    assert groups.seen_G is not None
    fitting_G = order_G[(groups.rows_G[order_G] <= count) & np.isfinite(groups.seen_G[order_G])]
    newest_G = fitting_G[np.argsort(-groups.seen_G[fitting_G], kind="stable")]
    held_G = newest_G[np.cumsum(groups.rows_G[newest_G]) <= count]
    return held_G[: len(order_G) - 1]


def _stratified(groups: _Groups, order_G: Numbers, count: int) -> Numbers:
    """Groups in the order of chance, stratum by stratum. A stratum with one group is left alone."""
    by_stratum = order_G[np.argsort(groups.stratum_G[order_G], kind="stable")]
    strata_S, starts_S = np.unique(groups.stratum_G[by_stratum], return_index=True)
    groups_of = dict(zip(strata_S.tolist(), np.split(by_stratum, starts_S[1:]), strict=True))
    rows_of = {stratum: int(groups.rows_G[own].sum()) for stratum, own in groups_of.items() if len(own) > 1}
    if not rows_of:  # every label stands in one group only
        groups_of, rows_of = {0: order_G}, {0: int(groups.rows_G[order_G].sum())}
    quotas = _quotas(rows_of, count)
    held = [_fill(groups_of[stratum], groups.rows_G, quota) for stratum, quota in quotas.items()]
    return np.concatenate(held) if held else order_G[:0]


def _fill(own: Numbers, rows_G: Numbers, quota: int) -> Numbers:
    """The stratum's own groups in order while they fit into the quota; one group at least is left over."""
    taken: list[int] = []
    room = quota
    for group in own.tolist():
        if not room or len(taken) == len(own) - 1:
            break
        if rows_G[group] <= room:
            taken.append(group)
            room -= int(rows_G[group])
    return np.array(taken, np.int64)


def _quotas(sizes: dict[int, int], count: int) -> dict[int, int]:
    """Shares `count` over the strata in proportion to their rows (largest remainders), 1 each if it suffices."""
    total = sum(sizes.values())
    strata = sorted(sizes)
    quotas = {stratum: count * sizes[stratum] // total for stratum in strata}
    by_remainder = sorted(strata, key=lambda stratum: (-(count * sizes[stratum] % total), stratum))
    for stratum in by_remainder[: count - sum(quotas.values())]:
        quotas[stratum] += 1
    for stratum in strata:
        donor = max(strata, key=lambda one: quotas[one])
        if quotas[stratum] == 0 and quotas[donor] > 1:
            quotas[donor] -= 1
            quotas[stratum] += 1
    return quotas
