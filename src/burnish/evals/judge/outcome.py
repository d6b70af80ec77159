"""From the judge's replies to numbers: who won, and whether the judge agrees with itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from burnish.core.records import Item
from burnish.evals.judge.asking import CHOICES
from burnish.evals.judge.judged_file import Judged
from burnish.evals.judge.records import Agreement, JudgedComparison, JudgedVerdict
from burnish.evals.statistics import Scores, holm, mean_interval, paired_difference, resampled

METRIC = "judged"
LEAST_PI = 0.2  # below it Landis & Koch (1977) call agreement slight
FORWARD, BACKWARD = "specialist first", "opponent first"

Key = tuple[str, str]  # item, opponent


def combined(forward: Judged, backward: Judged) -> tuple[int, str]:
    """(score, why) of a comparison: 1 won, -1 lost, 0 tie; why is empty where both orders say the same."""
    one, two = forward.score, backward.score
    if one is None or two is None:
        return 0, "unreadable"
    if one == two:
        return one, ""
    return 0, "flipped" if one == -two else "unsure"


def by_comparison(rows: Sequence[Judged]) -> dict[Key, dict[str, Judged]]:
    """Order → reply, of every comparison; those asked again are left out."""
    found: dict[Key, dict[str, Judged]] = {}
    for row in rows:
        if not row.again:
            found.setdefault((row.item, row.opponent), {})[row.order] = row
    return found


def scores_by_comparison(rows: Sequence[Judged]) -> dict[Key, tuple[int, str]]:
    """(score, why) of every comparison; equal answers are a tie because they are "equal"."""
    return {
        key: combined(orders[FORWARD], orders[BACKWARD]) if FORWARD in orders and BACKWARD in orders else (0, "equal")
        for key, orders in by_comparison(rows).items()
    }


def with_judged_scores(
    items: Sequence[Item], rows: Sequence[Judged], specialist: str, opponents: Sequence[str]
) -> list[Item]:
    """The items with a score `judged`, which is 0 for the specialist and 1, 0 or -1 for an opponent that the specialist
    lost to, tied with or won against. Items of the task that were not judged are left out."""
    scores = scores_by_comparison(rows)
    whole = {item for item, _ in scores if all((item, opponent) in scores for opponent in opponents)}

    def scored(item: Item) -> Item:
        value = 0 if item.arm == specialist else -scores[item.id, item.arm][0]
        return replace(item, scores={**item.scores, METRIC: float(value)})

    return [
        scored(item) if item.suite == "task" else item for item in items if item.suite != "task" or item.id in whole
    ]


def judge_judged(
    rows: Sequence[Judged],
    lengths: Mapping[tuple[str, str], int],
    specialist: str,
    name: str,
    *,
    level: float = 0.95,
    seed: int,
) -> JudgedVerdict:
    """The comparisons with each opponent, and the judge's agreement with itself.

    lengths: characters of the answer by (item, arm).
    """
    scores = scores_by_comparison(rows)
    opponents = list(dict.fromkeys(opponent for _, opponent in scores))
    compared = [_compared(opponent, scores, by_comparison(rows), level, seed) for opponent in opponents]
    adjusted = holm([one.p for one in compared])
    agreement = agreement_of(rows, lengths, specialist, seed=seed)
    able, reason = _able(agreement, anybody_asked=any(row.request for row in rows))
    comparisons = tuple(replace(one, p_holm=p) for one, p in zip(compared, adjusted, strict=True))
    return JudgedVerdict(name, able, reason, agreement, comparisons)


def _compared(
    opponent: str,
    scores: Mapping[Key, tuple[int, str]],
    orders: Mapping[Key, Mapping[str, Judged]],
    level: float,
    seed: int,
) -> JudgedComparison:
    mine = {key: found for key, found in scores.items() if key[1] == opponent}
    values = [float(mine[key][0]) for key in sorted(mine)]
    reasons = [why for _, why in mine.values()]
    # as the verdict on the task computes it, over the items in the same order
    estimate = paired_difference([0.0] * len(values), [-value for value in values], level=level, seed=seed)
    leans = [lean for key in sorted(mine) if (lean := _lean(orders[key])) is not None]
    return JudgedComparison(
        opponent=opponent,
        n=len(values),
        won=values.count(1.0),
        lost=values.count(-1.0),
        **{why: reasons.count(why) for why in ("equal", "flipped", "unsure", "unreadable")},
        delta=estimate.delta,
        low=estimate.low,
        high=estimate.high,
        p=estimate.p,
        p_holm=estimate.p,
        method=estimate.method,
        lean=mean_interval(leans, seed=seed) if leans else None,
    )


def _lean(orders: Mapping[str, Judged]) -> float | None:
    """Log-odds for the specialist in nats, the mean of both orders: what the place adds cancels out."""
    if FORWARD not in orders or not (orders[FORWARD].logprobs and orders[BACKWARD].logprobs):
        return None
    one, two = orders[FORWARD].logprobs, orders[BACKWARD].logprobs
    return ((one[0] - one[1]) + (two[1] - two[0])) / 2


def agreement_of(
    rows: Sequence[Judged], lengths: Mapping[tuple[str, str], int], specialist: str, *, seed: int
) -> Agreement:
    """Scott's pi between the two orders, with a bootstrap over comparisons.

    Chance is what a judge would reach whose letters do not depend on the answers, with the shares of letters that were
    seen in both orders together (Scott 1955). One that always says A, or always C, has pi 0.
    """
    found = by_comparison(rows)
    pairs = [
        (key, forward, backward)
        for key, orders in found.items()
        if (forward := orders.get(FORWARD)) and (backward := orders.get(BACKWARD))
    ]
    read = [(key, one, two) for key, one, two in pairs if one.says is not None and two.says is not None]
    says_N_2 = [(one.says, two.says) for _, one, two in read]
    same, chance = _same_and_chance(says_N_2)
    pi = resampled(lambda weights: _pi(weights, says_N_2), len(read), seed=seed) if read else None
    decided = [reply.says for pair in read for reply in pair[1:] if reply.says != "tie"]
    alike = [(key, one.score) for key, one, two in read if one.score == two.score and one.score]
    uneven = [
        (lengths[item, specialist] > lengths[item, opponent]) == (score == 1)
        for (item, opponent), score in alike
        if lengths[item, specialist] != lengths[item, opponent]
    ]
    again = [row for row in rows if row.again]
    return Agreement(
        n=len(read),
        same=same,
        chance=chance,
        pi=pi.mean if pi else 0.0,
        low=pi.low if pi else 0.0,
        high=pi.high if pi else 0.0,
        first_share=sum(choice == "A" for choice in decided) / len(decided) if decided else None,
        longer_share=sum(uneven) / len(uneven) if uneven else None,
        repeated=len(again),
        repeated_same=sum(row.says == found[row.item, row.opponent][row.order].says for row in again),
    )


def _shares(says_N_2: Sequence[tuple[str | None, str | None]], weights_R_N: Scores) -> tuple[Scores, Scores]:
    """(agreement seen, agreement by chance) in each of R resamples: to agree is A then B, B then A, or twice C."""
    agree_N = np.array([pair in (("A", "B"), ("B", "A"), ("tie", "tie")) for pair in says_N_2], dtype=np.float64)
    letters_N_3 = np.array([[pair.count(choice) / 2 for choice in CHOICES] for pair in says_N_2], dtype=np.float64)
    total_R = weights_R_N.sum(1)
    share_R_3 = weights_R_N @ letters_N_3 / total_R[:, None]
    chance_R: Scores = 2 * share_R_3[:, 0] * share_R_3[:, 1] + share_R_3[:, 2] ** 2
    seen_R: Scores = weights_R_N @ agree_N / total_R
    return seen_R, chance_R


def _pi(weights_R_N: Scores, says_N_2: Sequence[tuple[str | None, str | None]]) -> Scores:
    seen_R, chance_R = _shares(says_N_2, weights_R_N)
    room_R = 1 - chance_R
    pi_R: Scores = np.divide(seen_R - chance_R, room_R, out=np.zeros_like(seen_R), where=room_R > 1e-12)
    return pi_R


def _same_and_chance(says_N_2: Sequence[tuple[str | None, str | None]]) -> tuple[float, float]:
    if not says_N_2:
        return 0.0, 0.0
    seen_R, chance_R = _shares(says_N_2, np.ones((1, len(says_N_2))))
    return float(seen_R[0]), float(chance_R[0])


def _able(agreement: Agreement, *, anybody_asked: bool) -> tuple[bool, str]:
    """Whether the judge's word counts, and why."""
    if not anybody_asked:
        return True, "Nothing was asked: all answers are equal."
    percent, chance = f"{100 * agreement.same:.0f} %", f"{100 * agreement.chance:.0f} %"
    if agreement.n == 0:
        return False, "This judge cannot judge: it gave no reply that can be read in both orders."
    with_itself = f"With the answers in the other order it says the same in {percent} of {agreement.n} comparisons"
    if agreement.low > 0 and agreement.pi >= LEAST_PI:
        return True, f"{with_itself}; by chance it would be {chance} (pi {agreement.pi:.2f})."
    return False, (
        f"This judge cannot judge. {with_itself}; letters that do not depend on the answers would reach {chance} "
        f"(pi {agreement.pi:.2f}, {agreement.low:.2f} to {agreement.high:.2f}), and less than {LEAST_PI} is "
        "too near to chance."
    )
