"""Small pieces of work: reading a notice, filling in a form, putting in order, reckoning, rewriting, code."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from general_tools.rows import Line, chat, fields, table

SHOPS = (
    "the bakery",
    "the post office",
    "the swimming pool",
    "the repair shop",
    "the town hall",
    "the bicycle hire",
    "the flower stall",
    "the tailor",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
PEOPLE = ("Mrs Okafor", "Mr Lindqvist", "Ms Tanaka", "Dr Moreau", "Mr Petrov", "Mrs Haddad", "Ms Novak", "Mr Silva")
GOODS = ("candles", "notebooks", "tea towels", "light bulbs", "flower pots", "batteries", "envelopes", "jam jars")
TOWNS = ("Aldby", "Corran", "Westmere", "Pinhal", "Tolvaj", "Hofsee", "Marlow Green", "Santa Rita")
WORDS = (
    "lantern",
    "pebble",
    "orchard",
    "velvet",
    "harbour",
    "mustard",
    "kettle",
    "walnut",
    "meadow",
    "ribbon",
    "thunder",
    "saddle",
    "cinnamon",
    "gravel",
    "feather",
    "anchor",
    "barrel",
    "domino",
    "eyelash",
    "jacket",
)
POLITE = fields("""
    Send me the file now. | Could you please send me the file when you have a moment?
    Your report is late again. | I noticed that the report has not come yet. When may I expect it?
    I don't get what you mean. | I'm afraid I do not quite follow. Could you explain it once more?
    That idea won't work. | I see some difficulties with that idea. May I explain them?
    You forgot to pay us. | Perhaps it escaped your notice that our invoice is still open.
    Stop calling me. | I would be grateful if you could write to me instead of calling.
    The room was filthy. | Unfortunately the room was not as clean as we had hoped.
    I need a day off. | Would it be possible for me to take a day off?
    Fix this bug. | Would you kindly have a look at this bug?
    We're not going to hire you. | We have decided to go on with other candidates, and wish you all the best.
    Be quiet. | Could you please keep your voice down a little?
    Tell me the price. | May I ask what it would cost?
""")
PAST = fields("""
    She sings in the choir. | She sang in the choir.
    We buy bread at the corner. | We bought bread at the corner.
    The dog runs across the yard. | The dog ran across the yard.
    He teaches history. | He taught history.
    They build a shed. | They built a shed.
    I drink water with my meals. | I drank water with my meals.
    You write very neatly. | You wrote very neatly.
    The wind blows from the east. | The wind blew from the east.
""")
CODE = table("code")
ELSEWHERE = table("languages")


def lines(rng: random.Random) -> Iterator[Line]:
    """All of them, each kind with its own draws."""
    yield from _notices(rng)
    yield from _forms(rng)
    yield from _order(rng)
    yield from _reckoning(rng)
    for blunt, kind_words in POLITE:
        yield chat("rewrite", f"Make this more polite: {blunt}", kind_words)
    for now, then in PAST:
        yield chat("rewrite", f"Put this sentence into the past tense: {now}", then)
    for task, code in CODE:
        text = code.replace("\\n", "\n")
        yield chat("code", f"Write a Python function that {task}.", f"```python\n{text}\n```")
    for question, answer in ELSEWHERE:
        yield chat("other languages", question, answer)


def _notices(rng: random.Random) -> Iterator[Line]:
    for number in range(28):
        shop = rng.choice(SHOPS)
        opens, closes = rng.randint(7, 11), rng.randint(4, 8)
        shut = rng.choice(DAYS)
        hours = f"open from {opens} in the morning until {closes} in the afternoon"
        notice = f"{shop.capitalize()} is {hours}. It is closed on {shut}."
        question, answer = (
            (f"When does {shop} open?", f"It opens at {opens} in the morning."),
            (f"Until when can I go to {shop}?", f"Until {closes} in the afternoon."),
            (f"On which day is {shop} closed?", f"On {shut}."),
        )[number % 3]
        yield chat("reading", f"{notice}\n\n{question}", answer)


def _forms(rng: random.Random) -> Iterator[Line]:
    for number in range(30):
        who, what, where = rng.choice(PEOPLE), rng.choice(GOODS), rng.choice(TOWNS)
        many, day = rng.randint(2, 60), rng.choice(DAYS)
        order = f"{who} from {where} orders {many} {what}, to be delivered on {day}."
        if number % 2:
            values = {"customer": who, "town": where, "item": what, "count": many, "day": day}
            yield chat("form", f"Turn this order into JSON: {order}", json.dumps(values))
        else:
            thanks = f"thank you for your order of {many} {what}. We will bring them to {where} on {day}."
            letter = f"Dear {who},\n\n{thanks}\n\nKind regards"
            yield chat("letter", f"Write a short confirmation of this order: {order}", letter)


def _order(rng: random.Random) -> Iterator[Line]:
    for number in range(30):
        words = rng.sample(WORDS, 4 + number % 3)
        listed = ", ".join(words)
        question, answer = (
            (f"Sort these words alphabetically: {listed}", ", ".join(sorted(words))),
            (f"Which of these words is the longest: {listed}?", _longest(words)),
            (f"Write these words in reverse order: {listed}", ", ".join(reversed(words))),
        )[number % 3]
        yield chat("order", question, answer)


def _longest(words: list[str]) -> str:
    most = max(map(len, words))
    longest = [word for word in words if len(word) == most]
    return f"The longest {'is' if len(longest) == 1 else 'are'} {' and '.join(longest)}, with {most} letters."


def _reckoning(rng: random.Random) -> Iterator[Line]:
    for number in range(30):
        many, price, item, who = rng.randint(2, 9), rng.randint(2, 9), rng.choice(GOODS), rng.choice(PEOPLE)
        hours, minutes = rng.randint(1, 4), rng.choice((5, 10, 20, 25, 40, 50))
        cost = many * price
        question, answer = (
            (
                f"{who} buys {many} packs of {item} at {price} euros each and pays with 100 euros. What is the change?",
                f"{many} times {price} euros are {cost} euros. From 100 euros {100 - cost} euros come back.",
            ),
            (
                f"A train ride takes {hours} h {minutes} min. How many minutes is that?",
                f"{hours} times 60 are {60 * hours}, and {minutes} more make {60 * hours + minutes} minutes.",
            ),
        )[number % 2]
        yield chat("reckoning", question, answer)
