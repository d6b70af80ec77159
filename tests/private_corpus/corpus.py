"""The corpus and how well `find` does on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from burnish.data.private.finding import Finding
from burnish.data.private.settings import Kind
from tests.private_corpus import carriers, values
from tests.private_corpus.negatives import negative

VALUES: tuple[tuple[str, Kind, Callable[[Random], str]], ...] = (
    ("email", "email", values.email),
    ("international_phone", "phone", values.international_phone),
    ("national_phone", "phone", values.national_phone),
    ("card", "card", values.card),
    ("iban", "iban", values.iban),
    ("ip", "ip", values.ip),
    ("key", "key", values.key),
    ("password", "password", values.password),
)
POSITIVES_OF_A_KIND = 400
NEGATIVES = 4000


@dataclass(frozen=True)
class Sample:
    """A text and what is private in it."""

    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Score:
    """`exact` counts those found with the right beginning and end, `false` what is no such thing."""

    true: int
    found: int
    exact: int
    false: int

    @property
    def recall(self) -> float:
        return self.found / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0


def corpus(seed: int, sentences: Mapping[str, Sequence[str]] = carriers.SEEN) -> list[Sample]:
    """400 texts of each kind and 4000 of none. National numbers come with sentences of their own."""
    rng = Random(seed)
    samples = [
        _placed(rng, kind, rng.choice(sentences[carrier]), value_of(rng))
        for carrier, kind, value_of in VALUES
        for _ in range(POSITIVES_OF_A_KIND // (2 if kind == "phone" else 1))
    ]
    samples += [_national_id(rng) for _ in range(POSITIVES_OF_A_KIND)]
    return samples + [Sample(negative(rng), ()) for _ in range(NEGATIVES)]


def _national_id(rng: Random) -> Sample:
    said, value_of = rng.choice(values.NATIONAL_IDS)
    return _placed(rng, "national_id", said, value_of(rng))


def _placed(rng: Random, kind: Kind, sentence: str, value: str) -> Sample:
    mark = "\0"
    inner = sentence.format(mark)
    text = rng.choice(carriers.ANYWHERE).format(inner)
    start = text.index(mark)
    return Sample(text.replace(mark, value), (Finding(kind, start, start + len(value)),))


def scores(samples: Sequence[Sample], find: Callable[[str], Sequence[Finding]]) -> dict[str, Score]:
    """Kind → how well it was found; a finding counts as right where it overlaps a true one of its kind."""
    true, found, exact, false = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for sample in samples:
        findings = find(sample.text)
        for one in sample.findings:
            true[one.kind] += 1
            found[one.kind] += any(_overlap(one, other) for other in findings)
            exact[one.kind] += one in findings
        for other in findings:
            false[other.kind] += not any(_overlap(one, other) for one in sample.findings)
    return {kind: Score(true[kind], found[kind], exact[kind], false[kind]) for kind in sorted(true | false)}


def _overlap(one: Finding, other: Finding) -> bool:
    return one.kind == other.kind and one.start < other.end and other.start < one.end
