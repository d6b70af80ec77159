"""Scores of all answers together, which are no mean over answers: macro-F1, F1 over all entities, BLEU of a corpus.

They stand beside the scores that decide, which are paired row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.core.records import Item
from burnish.evals.statistics import Mean, Scores, macro_f1, resampled
from burnish.evals.verdict_plan import TaskPlan
from burnish.graders.entities import count_entities
from burnish.graders.label import predicted_label


def corpus_scores(task: TaskPlan, items: Sequence[Item], *, seed: int) -> dict[str, Mean]:
    """The scores by name; none for most metrics. Intervals are percentile bootstraps over items."""
    pairs = [(item.output, item.expected or "") for item in items]
    if task.shape == "label":
        answers, expected = (
            [predicted_label(text, task.labels) for text in texts] for texts in zip(*pairs, strict=True)
        )
        return {"macro_f1": macro_f1(answers, expected, seed=seed)}
    if task.shape == "entities":
        return {"micro_f1": micro_f1(pairs, seed=seed)}
    if task.shape == "bleu":
        return {"corpus_bleu": corpus_bleu(pairs, tokenize=task.settings.get("tokenize", "13a"), seed=seed)}
    return {}


def micro_f1(pairs: Sequence[tuple[str, str]], *, seed: int = 0) -> Mean:
    """F1 over the entities of all (answer, expected) pairs: 2·found / (given + wanted)."""
    counts = [count_entities(output, expected) for output, expected in pairs]
    found_N = np.array([count.found for count in counts], dtype=np.float64)
    total_N = np.array([count.given + count.wanted for count in counts], dtype=np.float64)

    def score(weights_R_N: Scores) -> Scores:
        found_R, total_R = weights_R_N @ found_N, weights_R_N @ total_N
        return np.divide(2 * found_R, total_R, out=np.ones_like(found_R), where=total_R > 0)

    return resampled(score, len(pairs), seed=seed)


def corpus_bleu(pairs: Sequence[tuple[str, str]], *, tokenize: str = "13a", seed: int = 0) -> Mean:
    """sacrebleu's BLEU of all (answer, expected) pairs in 0 … 1, from the counts of each."""
    from sacrebleu.metrics import BLEU

    from burnish.graders.bleu import sentence_bleu

    scores = [sentence_bleu(output, expected, tokenize) for output, expected in pairs]
    counts_N_10 = np.array([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in scores], dtype=np.float64)

    def score(weights_R_N: Scores) -> Scores:
        rows = (weights_R_N @ counts_N_10).astype(int).tolist()
        return np.array([BLEU.compute_bleu(row[:4], row[4:8], row[8], row[9]).score / 100 for row in rows])

    return resampled(score, len(pairs), seed=seed)
