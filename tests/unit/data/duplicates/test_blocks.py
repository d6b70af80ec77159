import random

from burnish.data.duplicates.blocks import block_count
from burnish.data.duplicates.near import near_pairs
from burnish.data.duplicates.settings import DuplicateSettings
from tests.unit.data.duplicates.planting import chat, fingerprinted

SETTINGS = DuplicateSettings()
WORDS = [f"word{number}" for number in range(3000)]


def text(dice: random.Random, words: int) -> list[str]:
    return dice.choices(WORDS, k=words)


def test_blocks_hold_the_rows_that_are_wanted_at_once() -> None:
    assert [block_count(rows, 100) for rows in (0, 1, 100, 101, 1000)] == [1, 1, 1, 2, 10]


def test_near_duplicates_are_found_in_blocks_as_at_once() -> None:
    # 300 pairs of 40 words of which 2 differ: 38 of 42 words are in both, 1 - (1 - 0.9)^3 = 0.999 share a block.
    dice = random.Random(1)
    rows = []
    for _ in range(300):
        asked, answer = text(dice, 20), text(dice, 20)
        rows.append((" ".join(asked), " ".join(answer)))
        asked[dice.randrange(20)], answer[dice.randrange(20)] = "other", "another"
        rows.append((" ".join(asked), " ".join(answer)))
    prints = fingerprinted(chat(*row) for row in rows)
    whole = near_pairs(prints, SETTINGS)
    parted = near_pairs(prints, SETTINGS, rows_at_once=50)
    all_pairs = set(zip(whole.one_P.tolist(), whole.other_P.tolist(), strict=True))
    found = set(zip(parted.one_P.tolist(), parted.other_P.tolist(), strict=True))
    assert len(all_pairs) == 300
    assert found <= all_pairs
    assert len(found) >= 297
    assert len(set(found)) == len(parted)  # a pair that two rounds found stands there once
