"""How much of what is private is found, and how much of what is found is private, on a corpus made by chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.data.private.find import find
from burnish.data.private.settings import PrivateSettings
from tests.planted import sets
from tests.private_corpus.carriers import SEEN, UNSEEN
from tests.private_corpus.corpus import corpus, scores

SEED = 11


@pytest.mark.parametrize("sentences", [SEEN, UNSEEN], ids=["seen", "unseen"])
def test_every_kind_is_found_in_97_of_100_texts_and_99_of_100_findings_are_right(
    sentences: dict[str, tuple[str, ...]],
) -> None:
    settings = PrivateSettings()
    by_kind = scores(corpus(SEED, sentences), lambda text: find(text, settings))
    assert set(by_kind) == set(settings.kinds)
    assert {kind: score for kind, score in by_kind.items() if score.recall < 0.97 or score.precision < 0.98} == {}


def test_the_corpus_is_a_function_of_its_seed() -> None:
    assert corpus(1)[:500] == corpus(1)[:500] != corpus(2)[:500]


def test_the_questions_of_bank_customers_hold_nothing_private(data_folder: Path) -> None:
    """They were made anonymous by their authors, and speak of cards, PINs, passwords and sums all the time."""
    settings = PrivateSettings()
    assert [row.source for row in sets.banking77(data_folder) if find(sets.as_raw(row)["prompt"], settings)] == []
