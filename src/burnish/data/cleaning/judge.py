"""The decisions that need the whole set, from a few numbers for each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from burnish.core.records import Row
from burnish.data.cleaning.features import Features
from burnish.data.cleaning.labels import are_label_rows, balance, contradictions
from burnish.data.cleaning.languages_of_set import wrong_languages
from burnish.data.cleaning.lengths import length_outliers
from burnish.data.cleaning.outcome import Observation, Verdict
from burnish.data.cleaning.pair_lengths import length_bias
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.cleaning.truncated import truncated_answers


@dataclass(frozen=True)
class Judgement:
    """`verdicts` are ordered by row, at most one of each reason and side; `observations` are about the set."""

    verdicts: tuple[Verdict, ...]
    observations: tuple[Observation, ...]


def judge(features: Features, settings: CleanSettings, row_at: Callable[[int], Row]) -> Judgement:
    """Looks at all rows of one part. `row_at` gives a row by its place in `features`; it is asked for few of them."""
    verdicts: list[Verdict] = []
    observations: list[Observation] = []
    labels = are_label_rows(features)
    if settings.truncated != "off" and not labels:
        found, seen = truncated_answers(features, settings)
        verdicts, observations = verdicts + found, observations + seen
    if settings.language != "off":
        found, seen = wrong_languages(features, settings, row_at)
        verdicts, observations = verdicts + found, observations + seen
    if settings.length != "off":
        verdicts += length_outliers(features, settings, labels=labels)
    if labels:
        observations += balance(features, row_at)
        if settings.contradiction != "off":
            verdicts += contradictions(features, settings, row_at)
    return Judgement(
        tuple(sorted(verdicts, key=lambda verdict: verdict.index)), (*observations, *length_bias(features))
    )
