"""What a made text must share with its origin. Each check raises Rejected; none of them asks a model."""

from __future__ import annotations

import re

from burnish.data.cleaning.boilerplate import refusal, self_description
from burnish.data.cleaning.language import guess, probability_of
from burnish.data.grow.reasons import Rejected
from burnish.data.normalised import normalised

NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
# Words of four letters or more by how they begin, which forgives inflection; each sign of scripts without spaces.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]{4,}")
STEM = 5
FEWEST_WORDS = 2
QUESTION_MARKS = "?？؟\u037e"
RELATED = 0.25  # of the words of weight of the text that has fewer of them
TIMES_LONGER = 2
SLACK = 60  # characters
ABOUT_TEXT = re.compile(
    r"\b(?:the|this|your) (?:\w+ )?(?:text|message|sentence|wording|phrase|paragraph)\b|in other words"
    r"|\bre-?(?:phras|word|writ)",
    re.IGNORECASE,
)
REPLYING = re.compile(
    r"i(?:'m| am) (?:\w+ )?(?:sorry|not sure|unable|happy to|here to|glad)\b|(?:i )?apolog|sorry\b|i understand\b"
    r"|i (?:don't|do not) know\b|thank(?:s| you) for\b|you can\b|you should\b|yes\b[,.]|no\b[,.]",
    re.IGNORECASE,
)
# (words of the speaker, words of the one spoken to): whose things are meant counts by itself.
SPEAKERS = tuple(
    (re.compile(own, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for own, other in (
        (r"\b(?:i|me|my|mine|we|us|our)\b", r"\b(?:you|your|yours)\b"),
        (r"\b(?:my|mine|our|ours)\b", r"\b(?:your|yours)\b"),
    )
)
# (the other language at least this probable, the origin's at most that): the surer of the two limits of cleaning
OTHER, OWN = 0.4, 0.02
CERTAIN = 0.5
NEGATION = re.compile(
    r"n['’]t\b|\b(?:not|no|none|never|nothing|nobody|nowhere|neither|cannot|without)\b"
    r"|\b(?:do|does|did|ca|wo|is|are|was|have|has|had|could|would)nt\b",
    re.IGNORECASE,
)
# Other ways to say that something is not so.
LACKING = re.compile(
    r"\b(?:un|in|im|dis)[a-z]{4}|\b(?:fail|declin|refus|reject|den(?:y|ied)|block|stop|miss|lack|lost|wrong|error|instead)",
    re.IGNORECASE,
)


def check_not_refused(made: str, origin: str) -> None:
    """The model must not decline or speak of itself where the origin does not."""
    words = refusal(made) or self_description(made)
    if words and not (refusal(origin) or self_description(origin)):
        raise Rejected("made_refusal", words)


def check_language(made: str, origin: str) -> None:
    """The language must stay. Short texts pass: their language cannot be told."""
    own, own_certainty = guess(origin)
    found, certainty = guess(made)
    if own == 0 or found in (0, own) or own_certainty < CERTAIN or certainty < OTHER:
        return
    if probability_of(own, made) < OWN:
        raise Rejected("made_other_language")


def check_length(made: str, origin: str) -> None:
    """A text in other words is not twice as long."""
    if len(made) > TIMES_LONGER * len(origin) + SLACK:
        raise Rejected("made_too_long", f"{len(made)} characters from {len(origin)}")


def check_related(made: str, origin: str) -> None:
    """Some words of weight must come back where there are several."""
    words, others = stems(origin), stems(made)
    if len(words) >= FEWEST_WORDS and len(words & others) < RELATED * max(1, min(len(words), len(others))):
        raise Rejected("made_unrelated", f"missing: {', '.join(sorted(words - others)[:8])}")


def check_not_about_text(made: str, origin: str) -> None:
    """A model that speaks about its task has not done it."""
    if (found := ABOUT_TEXT.search(made)) and not ABOUT_TEXT.search(origin):
        raise Rejected("made_not_parseable", f"speaks of its task: {found[0]}")


def check_not_answered(made: str, origin: str) -> None:
    """A question must stay one, and nothing may begin as a reply: small models like to answer."""
    if origin.rstrip()[-1:] in QUESTION_MARKS and not any(mark in made for mark in QUESTION_MARKS):
        raise Rejected("made_answered", "no question any more")
    if (found := REPLYING.match(made)) and not REPLYING.match(origin):
        raise Rejected("made_answered", f"begins as a reply: {found[0]}")


def check_speaker(made: str, origin: str) -> None:
    """Who speaks of himself must not come to speak of the other (in English)."""
    for own, other in SPEAKERS:
        only_own = own.search(origin) and not other.search(origin)
        if only_own and other.search(made) and not own.search(made):
            raise Rejected("made_speaker")


def check_negation(made: str, origin: str) -> None:
    """What is not so must not come to be so (in English)."""
    found = NEGATION.search(origin)
    if found and not NEGATION.search(made) and not LACKING.search(made):
        raise Rejected("made_negation", found[0])


def check_same_numbers(made: str, origin: str) -> None:
    """Numbers must all stay, and none may come in."""
    before, after = numbers(origin), numbers(made)
    if before != after:
        raise Rejected("made_numbers", ", ".join(sorted(before ^ after)[:8]))


def check_no_new_numbers(made: str, *origins: str) -> None:
    """A number that stands nowhere in what the model was given is made up."""
    new = numbers(made) - numbers(" ".join(origins))
    if new:
        raise Rejected("made_numbers", ", ".join(sorted(new)[:8]))


def check_facts(made: str, origin: str, answers: list[str]) -> None:
    """What an answer takes from the prompt word for word must still stand there."""
    before, after = (f" {normalised(text)} " for text in (origin, made))
    for answer in answers:
        fact = f" {normalised(answer)} "
        if fact.strip() and fact in before and fact not in after:
            raise Rejected("made_fact_lost", answer[:60])


def numbers(text: str) -> set[str]:
    """The numbers written in digits."""
    return set(NUMBER.findall(text))


def stems(text: str) -> set[str]:
    """How the words of weight begin."""
    return {word[:STEM] for word in WORD.findall(text.casefold())}
