"""Requests whose form a program can check: appended to the hand-written part of the instructions suite."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from suite_tools.lines import Line, names, rows

# topic | a word that belongs to it | one that is easily avoided | two more words
TOPICS = rows("""
    a rainy afternoon|umbrella|wet|street|cloud
    a small bakery|flour|bread|oven|cake
    a football match|goal|ball|team|referee
    a trip to the beach|sand|sea|towel|shell
    a birthday party|candle|present|cake|guest
    a busy airport|ticket|plane|suitcase|gate
    an old castle|tower|stone|wall|king
    a vegetable garden|soil|green|carrot|spade
    a night train|window|rail|ticket|bed
    a school trip|teacher|bus|museum|lunch
    a mountain hike|path|high|boots|summit
    a lost dog|leash|sad|collar|street
    a snowy village|chimney|cold|roof|sledge
    a music lesson|piano|song|teacher|note
    a fishing boat|net|sea|captain|wave
    a library|shelf|book|reader|silence
    a farm at dawn|rooster|early|barn|milk
    a street market|basket|price|fruit|seller
    a broken bicycle|chain|repair|wheel|tool
    a hospital ward|nurse|ill|bed|doctor
    a desert road|dust|hot|sun|truck
    a chess game|queen|win|board|clock
    a summer storm|thunder|rain|wind|roof
    a family dinner|table|food|soup|uncle
    a morning run|shoes|tired|park|breath
""")
COUNTS = ("two", "three", "four")
GROUPS = names("rivers; animals; colours; tools; vegetables; sports; birds; drinks; flowers; insects; trees; jobs; "
               "toys; countries; kinds of bread; things in a kitchen; kinds of weather; rooms of a house")  # fmt: skip
KEYS = rows("""
    title|author
    city|country
    colour|shape
    first|second
    question|answer
    start|end
    sender|subject
    price|currency
    team|score
    brand|year
    dish|minutes
    plant|height
""")
PICKS = rows("""
    Which is heavier, a feather or a brick?|brick|a brick|the brick
    Which is larger, a mouse or a horse?|horse|a horse|the horse
    Which is hotter, ice or fire?|fire
    Which is faster, a snail or a car?|car|a car|the car
    Which is sour, honey or a lemon?|lemon|a lemon|the lemon
    Which can fly, a sparrow or a pig?|sparrow|a sparrow|the sparrow
    Which is a vegetable, a carrot or an apple?|carrot|a carrot|the carrot
    Which is a metal, wood or iron?|iron
    Which comes first, breakfast or dinner?|breakfast
    Which lives in water, a shark or a lion?|shark|a shark|the shark
    Which is a colour, purple or pencil?|purple
    Which has wheels, a bus or a bed?|bus|a bus|the bus
""")
OPENINGS = names("Dear friend; In my view; To begin with; As a child; Every morning; Last summer; At first; "
                 "On Sundays; Without a doubt; After lunch; Believe me; Far away")  # fmt: skip
CLOSINGS = names("see you soon; that is all; thank you; good night; and so it was; no doubt about it; until next time; "
                 "what a day; take care; the rest is silence; happy ever after; come back soon")  # fmt: skip

Make = Callable[[random.Random, list[str]], tuple[str, list[dict[str, Any]]]]


def word(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    return f"Write two lines about {topic[0]} in which the word '{topic[1]}' occurs.", [contains(topic[1])]


def two_words(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    check = {"check": "contains_all", "texts": [topic[3], topic[4]]}
    return f"Describe {topic[0]}. Your text must mention '{topic[3]}' as well as '{topic[4]}'.", [check]


def without(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    return f"Tell me about {topic[0]}, but never use the word '{topic[2]}'.", [{"check": "excludes", "text": topic[2]}]


def short(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    n = rng.choice((8, 15, 20, 30))
    return f"Picture {topic[0]} and sum it up in no more than {n} words.", [{"check": "max_words", "n": n}]


def one_sentence(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    text = f"Give me a single sentence about {topic[0]} that contains '{topic[1]}'."
    return text, [{"check": "sentences", "n": 1}, contains(topic[1])]


def no_comma(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    text = f"Write one short sentence about {topic[0]}. Use neither commas nor digits."
    return text, [{"check": "no_commas"}, {"check": "no_digits"}]


def question(rng: random.Random, topic: list[str]) -> tuple[str, list[dict[str, Any]]]:
    text = f"What could one ask about {topic[0]}? Write only that question, with the word '{topic[3]}' in it."
    return text, [{"check": "ends_with_question"}, contains(topic[3])]


def contains(text: str) -> dict[str, Any]:
    """The check for a word."""
    return {"check": "contains", "text": text}


BY_TOPIC: tuple[Make, ...] = (word, two_words, without, short, one_sentence, no_comma, question)


def others(rng: random.Random) -> list[tuple[str, list[dict[str, Any]]]]:
    """Lists, objects, choices, beginnings and ends."""
    made: list[tuple[str, list[dict[str, Any]]]] = []
    for place, group in enumerate(GROUPS):
        n = 2 + place % 3
        text = f"Name {COUNTS[n - 2]} {group} as a list, each on a line of its own that starts with a dash."
        made.append((text, [{"check": "bullets", "n": n}]))
    for first, second in KEYS:
        text = f'Invent something and answer with a JSON object that has just the keys "{first}" and "{second}".'
        made.append((text, [{"check": "json_object", "keys": [first, second]}]))
    for asked, *options in PICKS:
        made.append((f"{asked} One word is enough, nothing else.", [{"check": "one_of", "options": options}]))
    for opening in OPENINGS:
        text = f"Write a sentence that opens with the words '{opening}'."
        made.append((text, [{"check": "starts_with", "text": opening}]))
    for closing in CLOSINGS:
        text = f"Write a short message of at least four words whose last words are '{closing}'."
        made.append((text, [{"check": "ends_with", "text": closing}, {"check": "min_words", "n": 4}]))
    return made


def lines(first: int) -> list[Line]:
    """241 requests in a drawn order, numbered from `first`."""
    rng = random.Random("instructions")
    made = [make(rng, topic) for make in BY_TOPIC for topic in TOPICS] + others(rng)
    rng.shuffle(made)
    return [
        {"id": f"inst-{first + place:03d}", "prompt": prompt, "checks": checks}
        for place, (prompt, checks) in enumerate(made)
    ]
