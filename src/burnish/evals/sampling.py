"""Where several answers were drawn for each item: how much of the spread comes from the seed, and how much from items.

What decides are the means per item, so seeds are never counted as items.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from burnish.core.records import Item, Sample
from burnish.evals.statistics import standard_error
from burnish.evals.verdict_records import Sampling
from burnish.evals.wording import difference_text


def mean_scores(samples: Sequence[Sample]) -> dict[str, float]:
    """The mean over the answers of each score that all of them have."""
    shared = [name for name in samples[0].scores if all(name in one.scores for one in samples)]
    return {name: fmean(one.scores[name] for one in samples) for name in shared}


def sampling_of(arm: str, items: Sequence[Item], metric: str) -> Sampling | None:
    """The spread of one arm's scores; None where a single answer was given to each item, or this metric needs none."""
    counts = {len(item.samples) for item in items}
    if len(counts) != 1 or counts == {0} or any(metric not in one.scores for item in items for one in item.samples):
        return None
    scores_N_K = np.array([[one.scores[metric] for one in item.samples] for item in items], dtype=np.float64)
    return Sampling(
        arm=arm,
        samples=scores_N_K.shape[1],
        between_seeds=float(np.std(scores_N_K.mean(axis=0), ddof=1)),
        between_items=standard_error(scores_N_K.mean(axis=1).tolist()),
    )


def sampling_sentence(sampling: Sequence[Sampling], metric: str, specialist: str) -> str:
    """For verdict.md, about the specialist; empty where nothing was sampled."""
    ours = next((one for one in sampling if one.arm == specialist), None)
    if ours is None:
        return ""
    seeds, items = (difference_text(metric, size).lstrip("+") for size in (ours.between_seeds, ours.between_items))
    return (
        f"Each row was answered {ours.samples} times with other seeds, and its score is the mean. For the specialist "
        f"the standard deviation between seeds is {seeds} (all rows once, with one seed against another); "
        f"the standard error that comes from the choice of rows is {items}."
    )
