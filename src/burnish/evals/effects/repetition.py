"""Does an answer go round in circles?"""

from __future__ import annotations

from burnish.evals.effects.words import words

GRAM = 4  # words: shorter ones recur in good prose
FEWEST = 8  # of them, below which nothing is called a loop
LOOP = 0.5  # half of an answer said before


def repeated_share(text: str) -> float:
    """Share of the runs of four words that stood before in the same text; 0 where there are fewer than eight."""
    said = words(text)
    grams = [tuple(said[start : start + GRAM]) for start in range(len(said) - GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) >= FEWEST else 0.0


def is_loop(text: str) -> bool:
    """At least half of the text repeats itself."""
    return repeated_share(text) >= LOOP
