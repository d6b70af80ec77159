"""Does an exported form answer as the trained model did? Measures, limits, and the sentence that says what failed.

Every form is asked twice: to score the reference's answers token by token, which says how far it is off at each place,
and to answer by itself, which is what a user sees, stop token included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from burnish.deploy.answers import Answer, Place, logprob_of
from burnish.deploy.task import task_shortfall

# A lead smaller than this is not a choice: another order of the same float32 sums may turn it round.
NEAR_TIE = 1e-3
LEAST_CHANGE = 0.5  # of what the adapter changes in training's own network: an engine that serves the base changes none
LEAST_EFFECT = 0.1  # nats a token: below this training changed too little for a share of it to mean anything


@dataclass(frozen=True)
class Limits:
    """What a form must reach. Log-probabilities in nats, of the tokens that the trained model chose.

    near_tie: where the trained model's first choice leads by less, another choice is no fault of this form.
    """

    top1_agreement: float  # share of places at which its likeliest token is the reference's, near ties counted in
    mean_difference: float
    max_difference: float | None  # of one token; None: not limited
    effect_kept: float  # share of what training changed that is still there
    near_tie: float = NEAR_TIE
    equal_answers: bool = False  # every answer must be the same, token by token


# Exact forms do the same sums in another order, so they are held to the same tokens. A form with rounded weights is
# another model that must be near: the floors lie below what rounding alone costs, and far above what a wrong name,
# order or scale of one weight does to every token.
EXACT = Limits(1.0, 1e-3, 5e-3, 0.99, equal_answers=True)
LIMITS: dict[str, Limits] = {
    "float32": EXACT,
    "float16": Limits(0.98, 0.02, None, 0.95, near_tie=0.02),
    "bfloat16": Limits(0.95, 0.05, None, 0.90, near_tie=0.1),
    "q8_0": Limits(0.90, 0.15, None, 0.90, near_tie=0.25),
    "q5_1": Limits(0.75, 0.45, None, 0.75, near_tie=0.5),
    "q5_0": Limits(0.75, 0.45, None, 0.75, near_tie=0.5),
    "q4_1": Limits(0.60, 0.80, None, 0.60, near_tie=1.0),
    "q4_0": Limits(0.60, 0.80, None, 0.60, near_tie=1.0),
}
LIMITS |= {
    "q6_k": LIMITS["q5_1"], "q5_k_m": LIMITS["q5_1"], "q4_k_m": LIMITS["q4_1"],
    "q3_k_m": Limits(0.50, 1.20, None, 0.50, near_tie=1.0),
}  # fmt: skip
# What the trained model became when its adapter was put on the dense base instead of the rounded one it was trained on.
DENSE_MERGE: dict[str, Limits] = {"nf4": LIMITS["q4_0"], "fp4": LIMITS["q4_0"], "int8": LIMITS["q8_0"]}


def score_measures(
    answers: Sequence[Answer],
    scored: Sequence[Sequence[Place]],
    base: Sequence[Sequence[Place]],
    near_tie: float = NEAR_TIE,
) -> dict[str, Any]:
    """How far a form is off at each place of the reference's answers. `base`: the same places before training."""
    differences: list[float] = []
    divergences: list[float] = []
    agree = ties = 0
    gained = kept = 0.0
    for answer, theirs, before in zip(answers, scored, base, strict=True):
        for index, token in enumerate(answer.tokens):
            ours, form = answer.logprob(index), logprob_of(theirs[index], token)
            differences.append(abs(form - ours))
            divergences.append(divergence(answer.places[index], theirs[index]))
            same = theirs[index][0][0] == token
            tie = not same and answer.gap(index) < near_tie
            agree, ties = agree + (same or tie), ties + tie
            start = logprob_of(before[index], token)
            gained, kept = gained + ours - start, kept + form - start
    count = len(differences)
    return {
        "tokens": count,
        "top1_agreement": agree / count,
        "near_ties": ties,
        "mean_difference": sum(differences) / count,
        "max_difference": max(differences),
        "kl_at_least": sum(divergences) / count,
        "effect_kept": kept / gained if gained / count > LEAST_EFFECT else None,
    }


def divergence(reference: Place, form: Place) -> float:
    """KL(reference ‖ form) in nats over the tokens that both list, all others counted as one.

    Lumping can only lose divergence, so this is a lower bound of the true one (the log-sum inequality).
    """
    theirs = dict(form)
    shared = [(p, theirs[token]) for token, p in reference if token in theirs]
    rest_p = max(1 - sum(math.exp(p) for p, _ in shared), 1e-9)
    rest_q = max(1 - sum(math.exp(q) for _, q in shared), 1e-9)
    total = sum(math.exp(p) * (p - q) for p, q in shared) + rest_p * math.log(rest_p / rest_q)
    return max(total, 0.0) if math.isfinite(total) else total


def answer_measures(answers: Sequence[Answer], given: Sequence[tuple[Sequence[int], bool]]) -> dict[str, Any]:
    """How many answers are the same, stop included. `given`: spoken tokens, and whether the form stopped by itself."""
    equal = ties = 0
    for answer, (tokens, stopped) in zip(answers, given, strict=True):
        at = _first_difference(answer, tokens, stopped)
        tie = at is not None and at < len(answer.tokens) and answer.gap(at) < NEAR_TIE
        equal, ties = equal + (at is None or tie), ties + tie
    return {"answers": len(answers), "answers_equal": equal, "answers_with_near_tie": ties}


def _first_difference(answer: Answer, tokens: Sequence[int], stopped: bool) -> int | None:
    """Where a form first says something else; None when it never does."""
    spoken = answer.spoken
    for index, (ours, theirs) in enumerate(zip(spoken, tokens, strict=False)):
        if ours != theirs:
            return index
    if len(spoken) != len(tokens) or answer.stopped != stopped:
        return min(len(spoken), len(tokens))
    return None


def mean_change(answers: Sequence[Answer], tuned: Sequence[Sequence[Place]], base: Sequence[Sequence[Place]]) -> float:
    """By how much two models' log-probabilities of the reference's tokens differ, in nats a token."""
    changes = [
        abs(logprob_of(one, token) - logprob_of(other, token))
        for answer, after, before in zip(answers, tuned, base, strict=True)
        for token, one, other in zip(answer.tokens, after, before, strict=True)
    ]
    return sum(changes) / len(changes)


def without_effect(found: dict[str, Any], change: float, expected: float) -> dict[str, Any]:
    """A line of parity.json with what an adapter changes in an engine; too little of what it should change fails."""
    line = found | {"measured": found["measured"] | {"adapter_changes": change, "adapter_should_change": expected}}
    if change > 0 and change >= LEAST_CHANGE * expected:
        return line
    return line | {"status": "failed", "why": "; ".join(filter(None, [found["why"], "the adapter changes nothing"]))}


def prompt_measures(
    answers: Sequence[Answer], prompts: Sequence[Sequence[int] | None], special_text: Sequence[bool]
) -> dict[str, Any]:
    """How many conversations the form turns into the same token ids.

    A message that holds the text of a special token is counted apart: Burnish keeps it text, other engines obey it.
    """
    compared = [
        list(answer.prompt) == list(prompt or ())
        for answer, prompt, special in zip(answers, prompts, special_text, strict=True)
        if not special
    ]
    return {
        "prompts": len(compared),
        "prompts_equal": sum(compared),
        "prompts_with_special_text": sum(special_text),
    }


def shortfalls(measures: dict[str, Any], limits: Limits) -> list[str]:
    """What a form does not reach, in words; empty when it passes. A measure that is not a number fails."""
    found = []
    for name, least in (("top1_agreement", limits.top1_agreement), ("effect_kept", limits.effect_kept)):
        if measures.get(name) is not None and not measures[name] >= least:
            found.append(f"{name} {measures[name]:.4g} is below {least}")
    for name, most in (("mean_difference", limits.mean_difference), ("max_difference", limits.max_difference)):
        if name in measures and most is not None and not measures[name] <= most:
            found.append(f"{name} {measures[name]:.3g} is above {most}")
    if limits.equal_answers and measures.get("answers_equal", 0) < measures.get("answers", 0):
        found.append(f"{measures['answers_equal']} of {measures['answers']} answers are equal")
    if measures.get("prompts_equal", 0) < measures.get("prompts", 0):
        found.append(f"{measures['prompts_equal']} of {measures['prompts']} prompts have the same token ids")
    return found


def finding(measures: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """One line of parity.json: the measures beside their limits, and what they come to."""
    failed = [*shortfalls(measures, limits), *task_shortfall(measures)]
    return {
        "status": "failed" if failed else "passed",
        "why": "; ".join(failed),
        "measured": {name: _finite(value) for name, value in measures.items()},
        "limits": asdict(limits),
    }


def not_checked(why: str) -> dict[str, Any]:
    """For what could not be asked: never counted as passed."""
    return {"status": "not checked", "why": why}


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
