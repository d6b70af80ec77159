"""Rows of train and dev that give away what the test asks, and benchmark items that stand in the training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from burnish.data.duplicates.fingerprint import Fingerprints, first_of
from burnish.data.duplicates.near import NearPairs
from burnish.data.duplicates.runs import SLOT_BITS, common_runs, run_hashes, slots, within_rows
from burnish.data.duplicates.words import Hashes, Indices, mixed

LeakKind: TypeAlias = Literal["exact", "same_prompt", "near", "contained", "few_words", "near_prompt", "meaning"]
KINDS: tuple[LeakKind, ...] = get_args(LeakKind)  # the firmest first
# What a reader would call the test's own item. The others are worth a look, but honest data has them too.
CERTAIN: frozenset[LeakKind] = frozenset(("exact", "same_prompt", "near", "contained"))
OF_NEAR = np.array([KINDS.index(name) for name in ("near", "few_words", "near_prompt", "meaning")])
NO_LEAK = len(KINDS)
QUOTED = 0.9  # of a question's runs of words: all of a short one's


@dataclass(frozen=True)
class Leak:
    """A learnt row that gives away a held-out one. `score` is the share of words or of runs of words that agree."""

    row: int
    held: int
    kind: LeakKind
    score: float

    @property
    def certain(self) -> bool:
        return self.kind in CERTAIN


@dataclass(frozen=True)
class _Found:
    """L leaks of one kind or several, as arrays."""

    row_L: Indices
    held_L: Indices
    kind_L: Indices
    score_L: NDArray[np.float64]


def leaks(
    fingerprints: Fingerprints,
    near: NearPairs | None,
    *,
    learnt_N: NDArray[np.bool_],
    held_N: NDArray[np.bool_],
    contained: float,
) -> list[Leak]:
    """The firmest leak of each learnt row that has one, in the order of rows. No row may be both learnt and held.

    `contained` is the share of a held row's runs of 8 words that one learnt row must hold.
    """
    learnt, held = np.flatnonzero(learnt_N), np.flatnonzero(held_N)
    found = [
        _same(fingerprints.content_N_2, learnt, held, "exact"),
        _same_prompt(fingerprints, learnt_N, held),
        _same(fingerprints.asked_N[:, None], learnt, held[fingerprints.asked_N[held] != 0], "same_prompt"),
        _contained(fingerprints, learnt_N, held_N, contained),
    ]
    if near is not None:
        found.append(_near(near, learnt, held))
    row, held_row, kind, score = (
        np.concatenate(column)
        for column in zip(*((f.row_L, f.held_L, f.kind_L, f.score_L) for f in found), strict=True)
    )
    order = np.lexsort((held_row, -score, kind, row))
    first = order[np.concatenate(([True], row[order][1:] != row[order][:-1]))[: len(order)]]
    columns = (row[first].tolist(), held_row[first].tolist(), kind[first].tolist(), score[first].tolist())
    return [Leak(row, of, KINDS[kind], score) for row, of, kind, score in zip(*columns, strict=True)]


def _one_kind(row_L: Indices, held_L: Indices, kind: LeakKind, score_L: NDArray[np.float64] | None = None) -> _Found:
    scores = np.ones(len(row_L)) if score_L is None else score_L
    return _Found(row_L, held_L, np.full(len(row_L), KINDS.index(kind)), scores)


def _same(hashes_N_C: Hashes, learnt: Indices, held: Indices, kind: LeakKind) -> _Found:
    rows = np.concatenate([held, learnt])
    first = first_of(hashes_N_C[rows])[len(held) :]
    found = first < len(held)
    return _one_kind(learnt[found], rows[first[found]], kind)


def _same_prompt(fingerprints: Fingerprints, learnt_N: NDArray[np.bool_], held: Indices) -> _Found:
    """Learnt rows that teach an answer, in any of their turns, to the prompt that a held row is tested with."""
    counts_N = np.diff(fingerprints.key_starts_N1)
    held = held[counts_N[held] > 0]
    asked, place = np.unique(fingerprints.keys[fingerprints.key_starts_N1[held + 1] - 1], return_index=True)
    row_K = np.repeat(np.arange(len(fingerprints)), counts_N)
    taught = np.flatnonzero(learnt_N[row_K])
    at = np.searchsorted(asked, fingerprints.keys[taught])
    hit = np.zeros(len(taught), np.bool_)
    hit[at < len(asked)] = asked[at[at < len(asked)]] == fingerprints.keys[taught][at < len(asked)]
    return _one_kind(row_K[taught[hit]], held[place[at[hit]]], "same_prompt")


def _near(near: NearPairs, learnt: Indices, held: Indices) -> _Found:
    """Pairs of which one row, or a row with the same words, is held and the other learnt."""
    held_of_class = np.full(len(near.same_N), -1)
    held_of_class[near.same_N[held[::-1]]] = held[::-1]
    ours = np.concatenate([near.one_P, near.other_P])
    theirs = held_of_class[np.concatenate([near.other_P, near.one_P])]
    kinds, scores = OF_NEAR[np.tile(near.kind_P, 2)], np.tile(near.similarity_P, 2)
    order = np.lexsort((-scores, kinds, ours))
    order = order[theirs[order] >= 0]
    best = order[np.concatenate(([True], ours[order][1:] != ours[order][:-1]))[: len(order)]]
    best_of_class = np.full(len(near.same_N), -1)
    best_of_class[ours[best]] = best
    pair = best_of_class[near.same_N[learnt]]
    row, pair = learnt[pair >= 0], pair[pair >= 0]
    return _Found(row, theirs[pair], kinds[pair], scores[pair].astype(np.float64))


def _contained(
    fingerprints: Fingerprints, learnt_N: NDArray[np.bool_], held_N: NDArray[np.bool_], least: float
) -> _Found:
    """Learnt rows that hold at least this share of a held row's runs of 8 words (Brown and others 2020, appendix C).

    A question that stands there whole is given away without its answer, too. Rows of one template, which share all but
    a word of their questions, are not: a run of 8 words goes with each word that differs.
    """
    common = common_runs(fingerprints.words, 2)
    held_row, held_runs = _runs(fingerprints, held_N, ~common)
    order = np.lexsort((held_row, held_runs))
    held_row, held_runs = held_row[order], held_runs[order]
    runs_of_held = np.bincount(held_row, minlength=len(fingerprints))
    asked_H = np.isin(_named(held_row, held_runs), _named(*_runs(fingerprints, held_N, ~common, asked_only=True)))
    asked_of_held = np.bincount(held_row[asked_H], minlength=len(fingerprints))
    looked_for = np.zeros(1 << SLOT_BITS, np.bool_)
    looked_for[slots(held_runs)] = True
    row, runs = _runs(fingerprints, learnt_N, looked_for)
    first, last = np.searchsorted(held_runs, runs, "left"), np.searchsorted(held_runs, runs, "right")
    matches = last - first
    entry = np.arange(matches.sum()) - np.repeat(np.cumsum(matches) - matches - first, matches)
    pairs = np.repeat(row, matches).astype(np.uint64) << np.uint64(32) | held_row[entry].astype(np.uint64)
    pairs, pair_of, shared = np.unique(pairs, return_inverse=True, return_counts=True)
    shared_asked = np.bincount(pair_of[asked_H[entry]], minlength=len(pairs))
    row, held_row = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    share, share_asked = shared / runs_of_held[held_row], shared_asked / np.maximum(asked_of_held[held_row], 1)
    enough = (share >= least) | (share_asked >= QUOTED)
    share = np.maximum(share, share_asked)
    return _one_kind(row[enough], held_row[enough], "contained", share[enough])


def _named(row_R: Indices, runs_R: Hashes) -> Hashes:
    """A hash of each run and the row it is of."""
    return mixed(runs_R ^ mixed(row_R.astype(np.uint64)))


def _runs(
    fingerprints: Fingerprints, chosen_N: NDArray[np.bool_], wanted: NDArray[np.bool_], *, asked_only: bool = False
) -> tuple[Indices, Hashes]:
    """Row and hash of the different runs of the chosen rows whose slot is wanted; of what they ask, if only that."""
    found = [np.zeros((2, 0), np.uint64)]
    lengths_R = fingerprints.words.lengths
    for first, last in fingerprints.words.batches(2):
        if not chosen_N[first // 2 : last // 2].any():
            continue
        halves = lengths_R[first:last]
        lengths = halves.reshape(-1, 2).sum(axis=1)
        hashes = run_hashes(fingerprints.words.read(first, last))
        row = np.repeat(np.arange(first // 2, last // 2), lengths)[: len(hashes)]
        kept = wanted[slots(hashes)] & within_rows(lengths) & chosen_N[row]
        if asked_only:
            kept &= within_rows(halves) & np.repeat(np.arange(last - first) % 2 == 0, halves)[: len(hashes)]
        found.append(np.unique(np.stack([row[kept].astype(np.uint64), hashes[kept]]), axis=1))
    rows, hashes = np.concatenate(found, axis=1)
    return rows.astype(np.int64), hashes
