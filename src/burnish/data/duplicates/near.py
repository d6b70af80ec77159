"""Near duplicates: candidates from hashes, then judged by the exact number of words in which two rows differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from burnish.data.duplicates.blocks import ROWS_AT_ONCE, block_count, blocks
from burnish.data.duplicates.buckets import decoded, merged
from burnish.data.duplicates.figures import contradict
from burnish.data.duplicates.fingerprint import Fingerprints, first_of
from burnish.data.duplicates.minhash import most_words_agree
from burnish.data.duplicates.rare import few_words_differ, word_counts
from burnish.data.duplicates.runs import common_runs
from burnish.data.duplicates.settings import DuplicateSettings
from burnish.data.duplicates.view import (
    MOST_COMPARED_WORDS,
    View,
    as_text,
    asked_only,
    has_label,
    has_long_answer,
    whole_rows,
)
from burnish.data.duplicates.words import Indices, spans

CLOSE, FEW, ASKED, MEANING = range(4)
FEW_SHARE = 0.5
ANSWER_SHARE = 0.5
TIMES_AT_LONG_ANSWER = 2
ROW_BANDS = 25
PROMPT_BANDS = 12  # of prompts a tenth may differ: 1 - (1 - 0.82^5)^12 = 0.996
JUDGED_WORDS = 10_000_000
ROUNDING = 1e-6
Found: TypeAlias = tuple[Indices, Indices, NDArray[np.float32], NDArray[np.int8]]


@dataclass(frozen=True)
class NearPairs:
    """P pairs of different rows, one_P < other_P. `similarity_P` is the share of words that agree in order.

    `kind_P` is CLOSE where the share reaches the threshold; FEW where short rows differ in a few words, their numbers
    and answers are the same, and for one of the two no row is nearer; ASKED where nearly the same is asked, but
    answered differently or about other numbers; MEANING where an embedding model says so. `same_N` is the first row
    with the same words: of rows that are the same but for case, spacing and punctuation, only the first is in pairs.
    """

    one_P: Indices
    other_P: Indices
    similarity_P: NDArray[np.float32]
    kind_P: NDArray[np.int8]
    same_N: Indices

    def __len__(self) -> int:
        return len(self.one_P)


def near_pairs(
    fingerprints: Fingerprints, settings: DuplicateSettings, *, rows_at_once: int = ROWS_AT_ONCE
) -> NearPairs:
    """Compares what rows say, and what rows without a label ask. Neither chance nor the order of rows has a part in it.

    A pair may differ in a share of its words, the frame that many rows share not counted, or in a few words. Rows of
    which each names a number that the other has not only ask nearly the same. More than `rows_at_once` are compared in
    blocks of rows that look alike.
    """
    same_N = first_of(np.stack([fingerprints.asked_N, fingerprints.answer_N], axis=1))
    first_N = same_N == np.arange(len(same_N))
    common = common_runs(fingerprints.words, 2)
    counts = word_counts(fingerprints.words)
    rows = whole_rows(fingerprints, common, first_N)
    prompts = asked_only(fingerprints, common, first_N) if fingerprints.answer_N.any() else None
    compared: Iterable[NDArray[np.bool_]] = [first_N]
    if block_count(int(first_N.sum()), rows_at_once) > 1:
        compared = blocks(rows, counts, len(first_N), rows_at_once)
    found = []
    for chosen_N in compared:
        found.append(_near_rows(rows.among(chosen_N), counts, fingerprints, settings))
        if prompts is not None:
            found.append(_near_prompts(prompts.among(chosen_N), counts, fingerprints, settings))
    return _once(found, same_N)


def with_meaning(near: NearPairs, one_P: Indices, other_P: Indices, cosine_P: NDArray[np.float32]) -> NearPairs:
    """Adds pairs that an embedding model found; both rows of each must be the first with their words."""
    meaning = np.full(len(one_P), MEANING, np.int8)
    known = (near.one_P, near.other_P, near.similarity_P, near.kind_P)
    return _once([known, (one_P, other_P, cosine_P, meaning)], near.same_N)


def _once(found: Sequence[Found], same_N: Indices) -> NearPairs:
    """Sorted pairs; of one that was found twice the firmer kind stays."""
    one, other, similarity, kind = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((kind, other, one))
    one, other, similarity, kind = one[order], other[order], similarity[order], kind[order]
    fresh = np.ones(len(one), np.bool_)
    fresh[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return NearPairs(one[fresh], other[fresh], similarity[fresh], kind[fresh], same_N)


def _near_rows(view: View, counts: Indices, fingerprints: Fingerprints, settings: DuplicateSettings) -> Found:
    """Rows whose words agree, and whose answers are the same or agree in half of their words."""
    one, other = _candidates(view, counts, ROW_BANDS)
    answers, numbers = fingerprints.answer_N[view.rows_V], fingerprints.numbers_N[view.rows_V]
    # "What is 60 + 44?" and "What is 63 + 41?" have one answer and two different words of five.
    alike = (answers[one] == answers[other]) & (numbers[one] == numbers[other])
    few = np.where(alike, settings.few_words, 0)
    # A long answer that is the same to the word is no chance: the questions may differ in more.
    few[has_long_answer(fingerprints)[view.rows_V[one]]] *= TIMES_AT_LONG_ANSWER
    one, other, similarity = _judged(view, one, other, settings.threshold, few)
    one, other = view.rows_V[one], view.rows_V[other]
    kept = _answers_agree(fingerprints, one, other)
    kind = np.where(similarity >= settings.threshold - ROUNDING, CLOSE, FEW).astype(np.int8)
    # Short rows on one subject often differ in a few words: without this, one would lead to the next, and on and on.
    kept &= (kind == CLOSE) | nearest(one, other, np.where(kept, similarity, 0))
    kind[contradict(fingerprints, one, other)] = ASKED
    return one[kept], other[kept], similarity[kept], kind[kept]


def _answers_agree(fingerprints: Fingerprints, one_P: Indices, other_P: Indices) -> NDArray[np.bool_]:
    """For each pair whether the answers are the same or agree in half of their words."""
    words = fingerprints.words
    agree_P: NDArray[np.bool_] = fingerprints.answer_N[one_P] == fingerprints.answer_N[other_P]
    one, other = one_P[~agree_P], other_P[~agree_P]
    lengths_N = np.minimum(words.lengths[1::2], MOST_COMPARED_WORDS)
    allowed = (1 - ANSWER_SHARE) * np.maximum(lengths_N[one], lengths_N[other])
    differing = _differing_words(lambda row: as_text(words, 2 * row + 1, 2 * row + 2), lengths_N, one, other, allowed)
    agree_P[~agree_P] = differing <= allowed
    return agree_P


def nearest(one_P: Indices, other_P: Indices, similarity_P: NDArray[np.float32]) -> NDArray[np.bool_]:
    """For each pair whether one of its rows has no other that is nearer."""
    best = np.zeros(int(max(one_P.max(initial=-1), other_P.max(initial=-1))) + 1, np.float32)
    np.maximum.at(best, one_P, similarity_P)
    np.maximum.at(best, other_P, similarity_P)
    is_best: NDArray[np.bool_] = (similarity_P >= best[one_P]) | (similarity_P >= best[other_P])
    return is_best


def _near_prompts(view: View, counts: Indices, fingerprints: Fingerprints, settings: DuplicateSettings) -> Found:
    """Prompts of which nearly all agrees: half as much may differ, for the answers give no evidence.

    A row without an answer, such as an item of a benchmark, is the same as one that asks nearly the same.
    """
    one, other = _candidates(view, counts, PROMPT_BANDS)
    one, other, similarity = _judged(view, one, other, (1 + settings.threshold) / 2, np.zeros(len(one), np.int64))
    one, other = view.rows_V[one], view.rows_V[other]
    unanswered, label_N = fingerprints.answer_N == 0, has_label(fingerprints)
    open_P = unanswered[one] | unanswered[other]
    kept = open_P | ~(label_N[one] | label_N[other])
    kind = np.where(open_P & ~contradict(fingerprints, one, other), CLOSE, ASKED).astype(np.int8)
    return one[kept], other[kept], similarity[kept], kind[kept]


def _candidates(view: View, counts: Indices, bands: int) -> tuple[Indices, Indices]:
    """Places of the view worth comparing, one < other."""
    one, other = decoded(merged([few_words_differ(view, counts), most_words_agree(view, counts, bands)]))
    place_of_rank = np.argsort(view.ranks_V)
    one, other = place_of_rank[one], place_of_rank[other]
    return np.minimum(one, other), np.maximum(one, other)


def _judged(
    view: View, one_P: Indices, other_P: Indices, threshold: float, few_P: Indices
) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """The pairs in which no more words differ than the threshold or the few words allow, and the share that agrees."""
    lengths, frame = view.lengths_V, view.frame_V
    telling = np.maximum(lengths[one_P], lengths[other_P]) - np.maximum(frame[one_P], frame[other_P])
    allowed = np.maximum(np.minimum(FEW_SHARE * telling, few_P), (1 - threshold) * telling) + ROUNDING
    possible = np.abs(lengths[one_P] - lengths[other_P]) <= allowed
    one, other, telling, allowed = one_P[possible], other_P[possible], telling[possible], allowed[possible]
    differing = _differing_words(view.as_text, lengths, one, other, allowed)
    near = differing <= allowed
    share = 1 - differing[near] / np.maximum(telling[near], 1)
    return one[near], other[near], share.astype(np.float32)


def _differing_words(
    text_of: Callable[[int], str],
    lengths: Indices,
    one_P: Indices,
    other_P: Indices,
    limit_P: NDArray[np.float64],
) -> Indices:
    """Words inserted, deleted or replaced between the texts of each pair; over the limit the number is not exact.

    Pairs of like limits are taken together, for the library takes one limit for many.
    """
    order = np.argsort(limit_P, kind="stable")
    differing_P = np.empty(len(order), np.int64)
    for span in spans(lengths[one_P[order]] + lengths[other_P[order]], JUDGED_WORDS):
        pairs = order[span]
        rows, places = np.unique(np.concatenate([one_P[pairs], other_P[pairs]]), return_inverse=True)
        texts = np.array([text_of(row) for row in rows.tolist()], object)[places]
        ones, others = texts[: len(pairs)].tolist(), texts[len(pairs) :].tolist()
        most = int(limit_P[pairs[-1]])
        differing_P[pairs] = cpdist(ones, others, scorer=Levenshtein.distance, score_cutoff=most, dtype=np.int64)
    return differing_P
