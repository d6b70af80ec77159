"""Made rows held against all others: none may give away what dev or test ask, none may say what train says already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.records import Dropped, Row
from burnish.data.duplicates.fingerprint import Fingerprinter, Fingerprints, fingerprint_of, first_of
from burnish.data.duplicates.leaks import leaks
from burnish.data.duplicates.near import CLOSE, NearPairs, near_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from burnish.data.grow.made import Made


def keep_apart(
    made: Sequence[Made],
    *,
    train: Iterable[Row],
    held: Iterable[Row],
    settings: DuplicateSettings,
    folder: Path | None = None,
) -> tuple[list[Made], list[Dropped]]:
    """Leaves out made rows that are duplicates or leaks of any kind, however doubtful: nothing of the user's is lost.

    `held` are the rows of dev and test. A rewritten answer shares its prompt with its origin, so only equal words make
    it a duplicate. `folder` is where a temporary file of words lies. Returns the rows kept, in order, and the others.
    """
    if not made:
        return [], []
    fingerprinter = Fingerprinter(folder)
    sources: list[str] = []
    counts = [0, 0, 0]
    for part, rows in enumerate((train, (one.row for one in made), held)):
        for row in rows:
            fingerprinter.add(fingerprint_of(row))
            sources.append(row.source)
            counts[part] += 1
    part_N = np.repeat(np.arange(3), counts)
    fingerprints = fingerprinter.finish()
    near = near_pairs(fingerprints, settings) if settings.near != "off" else None
    leaking = {
        leak.row: f"{leak.kind}: {sources[leak.held]}"
        for leak in leaks(fingerprints, near, learnt_N=part_N == 1, held_N=part_N == 2, contained=settings.contained)
    }
    rewritten = {counts[0] + place for place, one in enumerate(made) if one.kind == "rewrite"}
    repeating = _repeating(fingerprints, near, part_N, rewritten)
    kept: list[Made] = []
    dropped: list[Dropped] = []
    for place, one in enumerate(made, start=counts[0]):
        if place in leaking:
            dropped.append(Dropped(one.row.source, "made_leak", leaking[place], one.row.to_json()))
        elif place in repeating:
            detail = f"of {sources[repeating[place]]}"
            dropped.append(Dropped(one.row.source, "made_duplicate", detail, one.row.to_json()))
        else:
            kept.append(one)
    return kept, dropped


def _repeating(
    fingerprints: Fingerprints, near: NearPairs | None, part_N: NDArray[np.int64], rewritten: set[int]
) -> dict[int, int]:
    """Made row → the earlier row that it repeats; train comes before what is made."""
    ours = int((part_N < 2).sum())
    words_N_2 = np.stack([fingerprints.asked_N, fingerprints.answer_N], axis=1)[:ours]
    first_N = first_of(words_N_2)
    found = {row: int(first_N[row]) for row in np.flatnonzero(part_N[:ours] == 1).tolist() if first_N[row] < row}
    if near is None:
        return found
    close_P = (near.kind_P == CLOSE) & (near.other_P < ours)
    pairs = sorted(zip(near.other_P[close_P].tolist(), near.one_P[close_P].tolist(), strict=True))
    for later, earlier in pairs:
        if part_N[later] == 1 and later not in rewritten and earlier not in rewritten and earlier not in found:
            found.setdefault(later, earlier)
    return found
