"""Questions and answers in words: what things are, how things are done, what to say. Written by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator

from general_tools.rows import Line, chat, table, turns

THINGS = table("things")
ASK = (
    "What is a {}?",
    "Explain briefly: {}.",
    'What does "{}" mean?',
    "My daughter asked me about this word: {}. What do I tell her?",
    "Tell me in a sentence or two what is meant by {}.",
)
HOW = table("tasks")
HOW_ASK = ("How do I {}?", "Can you tell me how to {}?", "What is the best way to {}?", "I'd like to {}. Any tips?")
SMALL = table("small_talk")
LISTS = table("lists")
LIST_ASK = ("Name {n} {what}.", "Give me a list of {n} {what}.", "I need {n} {what}.")


def lines(rng: random.Random) -> Iterator[Line]:
    """Single questions, lists, and conversations of two turns."""
    for number, (thing, answer) in enumerate(THINGS):
        yield chat("explain", ASK[number % len(ASK)].format(thing), answer)
    for number, (task, answer) in enumerate(HOW):
        yield chat("how", HOW_ASK[number % len(HOW_ASK)].format(task), answer)
    for said, answer in SMALL:
        yield chat("small talk", said, answer)
    for number, (what, items) in enumerate(LISTS):
        n = 3 + number % 3
        ask = LIST_ASK[number % len(LIST_ASK)].format(n=("three", "four", "five")[n - 3], what=what)
        yield chat("list", ask, "\n".join(f"{place}. {item}" for place, item in enumerate(items.split(", ")[:n], 1)))
    for task, answer in rng.sample(HOW, 12):
        asked = f"I want to {task} and don't know where to begin."
        yield turns("two turns", [(asked, answer), ("What do I do first?", f"{answer.split('. ')[0].rstrip('.')}.")])
    for thing, answer in rng.sample(THINGS, 8):
        yield turns("two turns", [(f"Describe this to me: {thing}.", answer), ("Thank you, I see.", "You're welcome!")])
