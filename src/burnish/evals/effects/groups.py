"""Do some groups of rows come off worse? Scores by the values of a column that the user names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from burnish.evals.effects.records import Gap, GroupColumn, GroupScores
from burnish.evals.statistics import mean_interval
from burnish.evals.wording import metric_name

MOST_GROUPS = 20  # further values count together
OTHERS = "(others)"
SMALL = 10  # rows: a smaller group is shown and takes no part in the gap
UNSURE = 30  # rows: below that the interval is wide, which is said
PERMUTATIONS = 1_999

Vector = NDArray[np.float64]


def group_column(
    column: str, values: Sequence[str], metric: str, scores: Mapping[str, Sequence[float]], *, seed: int
) -> GroupColumn:
    """`values` are the groups of the rows, `scores` those of each arm, in the same order."""
    common = [value for value, _ in Counter(values).most_common(MOST_GROUPS)]
    named = [value if value in common else OTHERS for value in values]
    groups = sorted(set(named), key=lambda name: (name == OTHERS, -named.count(name), name))
    found = []
    for group in groups:
        places = [place for place, value in enumerate(named) if value == group]
        means = {arm: mean_interval([score[place] for place in places], seed=seed) for arm, score in scores.items()}
        found.append(GroupScores(group, len(places), means))
    large = [one.group for one in found if one.n >= SMALL]
    gaps = [_gap(arm, named, score, large, seed) for arm, score in scores.items()] if len(large) > 1 else []
    return GroupColumn(column, metric_name(metric), tuple(found), tuple(gaps), _warning(found))


def _gap(arm: str, named: Sequence[str], scores: Sequence[float], large: Sequence[str], seed: int) -> Gap:
    """The p-value: how often groups drawn by chance lie as far apart (a permutation test, Fisher 1935)."""
    places = [place for place, value in enumerate(named) if value in large]
    score_N = np.array([scores[place] for place in places], dtype=np.float64)
    member_N_G = np.array([[named[place] == group for group in large] for place in places], dtype=np.float64)
    size_G = member_N_G.sum(0)
    mean_G = score_N @ member_N_G / size_G
    seen = float(np.ptp(mean_G))
    rng = np.random.default_rng(seed)
    chance_R = [float(np.ptp(rng.permutation(score_N) @ member_N_G / size_G)) for _ in range(PERMUTATIONS)]
    as_large = sum(gap >= seen - 1e-12 for gap in chance_R)
    best, worst = large[int(mean_G.argmax())], large[int(mean_G.argmin())]
    return Gap(arm, seen, best, worst, (as_large + 1) / (PERMUTATIONS + 1))


def _warning(groups: Sequence[GroupScores]) -> str:
    small = [f"{one.group} ({one.n})" for one in groups if one.n < SMALL]
    unsure = [f"{one.group} ({one.n})" for one in groups if SMALL <= one.n < UNSURE]
    parts = []
    if small:
        parts.append(f"Too small for the comparison, fewer than {SMALL} rows: {', '.join(small)}.")
    if unsure:
        parts.append(f"Small, fewer than {UNSURE} rows, so only large gaps can show: {', '.join(unsure)}.")
    return " ".join(parts)
