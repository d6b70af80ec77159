"""Arithmetic for small and larger heads: every answer is computed, every wrong one is near."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from suite_tools.lines import Ask, names, once

Rng = random.Random
WORDS = names("zero one two three four five six seven eight nine ten eleven twelve", " ")
NAMES = names("Anna Ben Clara David Emma Frank Grace Henry Ida Jack", " ")
THINGS = names("apples books pencils stamps coins marbles eggs cards shells cookies", " ")


def near(rng: Rng, right: int) -> list[str]:
    """Three other numbers close by, none below zero."""
    pool = [right + step for step in (-10, -3, -2, -1, 1, 2, 3, 10) if right + step >= 0]
    return [str(number) for number in rng.sample(pool, 3)]


def ask(rng: Rng, kind: str, prompt: str, right: int) -> Ask:
    """A numeric item with wrong answers near the right one."""
    return Ask(kind, prompt, str(right), near(rng, right))


def add(rng: Rng) -> Ask:
    a, b = rng.randint(1, 12), rng.randint(1, 12)
    return ask(
        rng, "add", rng.choice(("{} + {} =", "{} plus {} equals", "The sum of {} and {} is")).format(a, b), a + b
    )


def subtract(rng: Rng) -> Ask:
    b = rng.randint(1, 10)
    a = b + rng.randint(1, 10)
    return ask(rng, "subtract", rng.choice(("{} - {} =", "{} minus {} equals")).format(a, b), a - b)


def multiply(rng: Rng) -> Ask:
    a, b = rng.randint(2, 10), rng.randint(2, 10)
    return ask(rng, "multiply", rng.choice(("{} × {} =", "{} times {} equals", "{} * {} =")).format(a, b), a * b)


def divide(rng: Rng) -> Ask:
    b, right = rng.randint(2, 10), rng.randint(2, 10)
    return ask(rng, "divide", rng.choice(("{} / {} =", "{} divided by {} is")).format(b * right, b), right)


def sequence(rng: Rng) -> Ask:
    start, step = rng.randint(1, 30), rng.choice((1, 2, 3, 5, 10))
    shown = [start + step * place for place in range(5)]
    return ask(rng, "sequence", ", ".join(map(str, shown)) + ",", shown[-1] + step)


def largest(rng: Rng) -> Ask:
    numbers = rng.sample(range(2, 100), 4)
    most = rng.random() < 0.5
    right = max(numbers) if most else min(numbers)
    text = f"Of the numbers {numbers[0]}, {numbers[1]}, {numbers[2]} and {numbers[3]}, the "
    wrong = [str(number) for number in numbers if number != right]
    return Ask("compare", text + ("largest is" if most else "smallest is"), str(right), wrong)


def in_words(rng: Rng) -> Ask:
    a = rng.randint(1, 9)
    b = rng.randint(1, 12 - a)
    right = a + b
    pool = [word for number, word in enumerate(WORDS) if number not in (0, right) and abs(number - right) <= 4]
    return Ask("words", f"{WORDS[a].capitalize()} plus {WORDS[b]} is", WORDS[right], rng.sample(pool, 3))


def double(rng: Rng) -> Ask:
    a = rng.randint(2, 50)
    if rng.random() < 0.5:
        return ask(rng, "double", f"Twice {a} is", 2 * a)
    return ask(rng, "double", f"Half of {2 * a} is", a)


def story(rng: Rng) -> Ask:
    name, friend = rng.sample(NAMES, 2)
    thing, a, b = rng.choice(THINGS), rng.randint(3, 12), rng.randint(2, 9)
    if rng.random() < 0.5:
        text = f"{name} has {a} {thing} and gets {b} more from {friend}. The number of {thing} that {name} has now is"
        return ask(rng, "story", text, a + b)
    text = f"{name} has {a + b} {thing} and gives {b} of them to {friend}. The number of {thing} that {name} keeps is"
    return ask(rng, "story", text, a)


def two_digits(rng: Rng) -> Ask:
    a, b = rng.randint(13, 89), rng.randint(13, 89)
    if rng.random() < 0.5:
        return ask(rng, "two digits", f"{a} + {b} =", a + b)
    return ask(rng, "two digits", f"{max(a, b)} - {min(a, b)} =", abs(a - b))


def coins(rng: Rng) -> Ask:
    price, count = rng.randint(2, 9), rng.randint(2, 6)
    thing = rng.choice(("ticket", "loaf", "book", "plant", "pen"))
    plural = "loaves" if thing == "loaf" else thing + "s"
    return ask(rng, "price", f"One {thing} costs {price} dollars, so {count} {plural} cost, in dollars,", price * count)


def two_steps(rng: Rng) -> Ask:
    a, b, c = rng.randint(2, 9), rng.randint(2, 9), rng.randint(2, 9)
    return ask(rng, "two steps", f"{a} × {b} + {c} =", a * b + c)


# How many of each: two thirds are easy enough for a model of a hundred million weights.
KINDS: tuple[tuple[Callable[[Rng], Ask], int], ...] = (
    (add, 80), (subtract, 60), (multiply, 60), (divide, 40), (sequence, 80), (largest, 60), (in_words, 40),
    (double, 40), (story, 60), (two_digits, 40), (coins, 20), (two_steps, 20),
)  # fmt: skip


def drawn(kind: Callable[[Rng], Ask], rng: Rng) -> Iterator[Ask]:
    """Items of one kind without end."""
    while True:
        yield kind(rng)


def asks() -> list[Ask]:
    """600 items of twelve kinds."""
    rng = random.Random("arithmetic")
    made: list[Ask] = []
    for kind, count in KINDS:
        wanted: list[Ask] = []
        for one in drawn(kind, rng):
            wanted = once([*wanted, one])
            if len(wanted) == count:
                break
        made += wanted
    return made
