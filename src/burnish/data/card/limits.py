"""What a reader must know before trusting a model of this data: plain sentences that follow from the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from burnish.data.card.facts import DataCard, summed
from burnish.data.private.reasons import MEANINGS
from burnish.data.reasons import REASONS

MUCH_DROPPED = 0.05  # of the rows: from here on what was left out shapes what is left
LITTLE_LEARNT = 0.1  # of the tokens
NEARLY_ALL = 0.9  # of the rows whose language is known
PRIVATE = {f"private_{kind}": kind for kind in MEANINGS}
BY_REQUEST = frozenset(("not_sampled", "review_drop"))  # left out because the user said so


def limits(card: DataCard) -> tuple[str, ...]:
    """The known limits, each one sentence or two; those that hold for any data come first."""
    return tuple(sentence for rule in RULES for sentence in rule(card))


def meaning_of(reason: str) -> str:
    """The plain meaning of a code; the code itself where an older version wrote it."""
    return REASONS.get(reason, reason.replace("_", " "))


def is_leak(reason: str) -> bool:
    """Whether a code says that a row gives away what another part asks."""
    return reason.startswith(("leak_", "overlaps_"))


def _licence(card: DataCard) -> Iterator[str]:
    if not card.licence:
        beside = ", though files beside it speak of one (below)" if card.licences_found else ""
        yield f"No licence was stated for this data{beside}: find out whether a model of it may be used and passed on."


def _origin(card: DataCard) -> Iterator[str]:
    if not card.own_test:
        yield (
            "The test was split off the same files. It shows how a model does on rows like these, not on rows of "
            "another time, place or writer."
        )


def _power(card: DataCard) -> Iterator[str]:
    if card.test_can_show:
        yield f"What the test can show: {card.test_can_show}"


def _private(card: DataCard) -> Iterator[str]:
    if card.private is None or card.private.action == "off":
        yield "Nobody looked for private data."
        return
    found = {PRIVATE[reason]: count for reason, count in summed(card.flagged).items() if reason in PRIVATE}
    if found:
        kinds = ", ".join(f"{count} × {MEANINGS[kind]}" for kind, count in found.items())
        yield f"Private data was found and kept ({kinds}): a model can repeat what it was trained on."
    if "name" not in card.private.kinds:
        yield "Names of persons were not looked for."


def _leaks(card: DataCard) -> Iterator[str]:
    kept = sum(count for reason, count in summed(card.flagged).items() if is_leak(reason))
    if kept:
        yield f"Rows of train and dev that resemble test rows and were kept: {kept}. If they leak, the test flatters."


def _duplicates(card: DataCard) -> Iterator[str]:
    found = card.duplicates
    if found is None or not found.near:
        yield "Rows that differ in a few words were not looked for: such a pair may stand in train and test."
    if found is not None and found.loosened:
        apart = f", {found.parted} of them with nothing but those that ask the same" if found.parted else ""
        yield (
            f"Rows so alike that kept all together they would leave nothing to test on: {found.loosened}. They stand "
            f"with their nearest only{apart}, and the test is easier for it."
        )


def _languages(card: DataCard) -> Iterator[str]:
    for side, counts in card.languages.items():
        known = sum(counts.values())
        if not known:
            continue
        commonest = sorted(counts, key=lambda language: (-counts[language], language))
        if counts[commonest[0]] >= NEARLY_ALL * known:
            yield f"The {side}s are in one language ({commonest[0]}): others are neither learnt nor tested."
        else:
            shares = ", ".join(f"{language} {counts[language] / known:.0%}" for language in commonest[:4])
            yield f"The {side}s are in several languages ({shares}): each is learnt from its own rows only."


def _dropped(card: DataCard) -> Iterator[str]:
    dropped = summed(card.dropped)
    broken = {reason: count for reason, count in dropped.items() if reason not in BY_REQUEST}
    total = sum(broken.values())
    if card.rows_in and total >= MUCH_DROPPED * card.rows_in:
        commonest = next(iter(broken))
        yield (
            f"{total / card.rows_in:.0%} of the rows were left out, {broken[commonest]} of them because "
            f"{meaning_of(commonest)}. What is left may differ from what the data is about."
        )
    if "not_sampled" in dropped:
        yield f"A sample was taken: {dropped['not_sampled']} of {card.rows_in} rows were not looked at."


def _doubts(card: DataCard) -> Iterator[str]:
    doubts = {r: n for r, n in summed(card.flagged).items() if r not in PRIVATE and not is_leak(r)}
    if doubts:
        commonest = next(iter(doubts))
        yield (
            f"Doubts that were reported and the rows kept: {sum(doubts.values())}; the commonest, {doubts[commonest]} "
            f"times, is that {meaning_of(commonest)}."
        )


def _answers(card: DataCard) -> Iterator[str]:
    several = card.prompts_with_several_answers
    if several and card.shape.kind == "label":
        yield f"Prompts with more than one label: {several}. No model can be right about all of their rows."


def _learnt(card: DataCard) -> Iterator[str]:
    share = card.learnt_share
    if share is not None and share < LITTLE_LEARNT:
        yield f"Only {share:.1%} of the tokens are learnt, the others are read: most of the training time goes there."


def _made(card: DataCard) -> Iterator[str]:
    for model, rows in card.made_by.items():
        yield f"Rows of train that a model wrote ({model}): {rows}. Its faults and its terms may come with them."


def _observations(card: DataCard) -> Iterator[str]:
    for seen in card.observations:
        meaning = meaning_of(seen.reason)
        yield f"{meaning[0].upper()}{meaning[1:]}: {seen.detail}."


RULES: tuple[Callable[[DataCard], Iterator[str]], ...] = (
    _licence, _origin, _power, _private, _leaks, _duplicates, _languages, _dropped, _doubts, _answers, _learnt, _made,
    _observations,
)  # fmt: skip
