"""Metrics and numbers in the words of verdict.md and report.html."""

from __future__ import annotations

import unicodedata

_NAMES = {
    "correct": "accuracy",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "exact": "exact answers",
    "field_f1": "fields right (F1)",
    "valid": "valid JSON",
    "schema": "built as it should be",
    "entity_f1": "entities right (F1)",
    "micro_f1": "F1 over all entities",
    "chrf": "chrF",
    "bleu": "BLEU",
    "corpus_bleu": "BLEU of all answers",
    "rouge_l": "ROUGE-L",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "passed": "programs that pass all tests",
    "tests_passed": "tests passed",
    "preference": "chosen answers preferred",
    "followed": "instructions followed",
    "judged": "judged better less judged worse",
    "loss": "loss",
    "answer_loss": "loss of the expected answer",
    "logprob_margin": "margin of the right choice",
    "openings": "answers that begin as weighed",
    "kl": "drift",
    "same_token": "same likeliest token",
}
PERCENT = "\u00a0%"  # with a no-break space: a number and its sign stay on one line
_UNITS = {"loss": "nats per token", "answer_loss": "nats per token", "logprob_margin": "nats", "kl": "nats per token"}


def metric_name(metric: str) -> str:
    """A metric as a reader knows it."""
    return _NAMES.get(metric, metric)


def metric_title(metric: str) -> str:
    """That name at the beginning of a sentence: "BLEU" stays as it is, and chrF keeps its small c."""
    name = metric_name(metric)
    return name if any(sign.isupper() for sign in name.split()[0]) else name[:1].upper() + name[1:]


def in_percent(metric: str) -> bool:
    """Scores of 0 … 1 are shown in per cent, their differences in points."""
    return metric in _NAMES and metric not in _UNITS


def score_text(metric: str, value: float) -> str:
    """A mean, such as "82.5 %" or "3.214"."""
    return f"{100 * value:.1f}{PERCENT}" if in_percent(metric) else f"{value:.3f}"


def difference_text(metric: str, value: float, *, unit: bool = True) -> str:
    """A difference with its sign, such as "+12.3 points" or "−0.041 nats"."""
    digits = f"{100 * value:+.1f}" if in_percent(metric) else f"{value:+.3f}"
    name = "points" if in_percent(metric) else _UNITS.get(metric, "")
    return digits.replace("-", "−") + (f" {name}" if unit and name else "")


def p_text(p: float) -> str:
    """A p-value, such as "0.031" or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def visible(text: str) -> str:
    """Text of unknown origin without signs that act: control, bidirectional and unpaired ones are spelt out."""

    def shown(sign: str) -> str:
        acts = unicodedata.category(sign) in ("Cc", "Cs") or sign in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
        acts = acts or sign in "\u2028\u2029\u2066\u2067\u2068\u2069\ufeff"
        return f"\\u{ord(sign):04x}" if acts and sign not in "\n\t" else sign

    return "".join(map(shown, text.replace("\r\n", "\n")))
