"""Plain text: notes, reports and beginnings of stories, put together from parts."""

from __future__ import annotations

import random
from collections.abc import Iterator

from general_tools.rows import Line, passage, table

PLACES = (
    "the old mill",
    "a small station",
    "the harbour office",
    "the village school",
    "a printing shop",
    "the lower bridge",
    "the bus depot",
    "an orchard above the river",
    "the market hall",
    "a block of flats",
)
EVENTS = (
    "was painted last week, and the smell still hangs in the rooms",
    "has been empty since the spring, though someone keeps the windows clean",
    "will be closed for repairs until the end of the month",
    "looks much as it did forty years ago, apart from the new roof",
    "is where the two friends used to meet after work",
    "caught fire one night, but nobody was hurt",
)
CAUSES = (
    "The work took longer than planned because parts came late.",
    "Neighbours had asked for it many times.",
    "Nobody could say who had decided it.",
    "It cost less than everyone had feared.",
    "Rain had got in under the tiles and ruined the floor.",
    "There had been a vote, and the result was close.",
)
ENDS = (
    "People pass it every day and hardly look up.",
    "In the evening, children sit on the steps and talk.",
    "A notice at the door tells visitors where to go instead.",
    "From there you can see as far as the hills.",
    "Next year the matter will be looked at again.",
    "Since then things have been quiet.",
)
STORY = (
    (
        "The key did not fit.",
        "The letter had no stamp.",
        "On the third morning the boat was gone.",
        "It was too early for the post.",
        "Somebody had moved the chairs.",
    ),
    (
        "Marek turned it over twice and put it back into his pocket.",
        "Elif counted the coins again, slowly this time.",
        "My grandmother laughed and went on peeling apples.",
        "The stranger asked for a glass of water.",
        "Joaquim shrugged and lit the stove.",
    ),
    (
        "Outside, a cart rattled past.",
        "The clock in the hall struck four.",
        "No one had expected snow in April.",
        "The cat watched from the shelf.",
        "Far away a dog began to bark.",
    ),
    (
        "There was still time to turn back.",
        "By noon the whole street would know.",
        "He had promised, after all.",
        "She decided to say nothing.",
        "That was how it began.",
    ),
)
SUBJECTS = table("subjects")


def lines(rng: random.Random) -> Iterator[Line]:
    """Reports, stories, and short passages on a subject."""
    for _ in range(36):
        place = rng.choice(PLACES)
        opening = f"{place[0].upper()}{place[1:]} {rng.choice(EVENTS)}."
        yield passage("report", f"{opening} {rng.choice(CAUSES)} {rng.choice(ENDS)}")
    for _ in range(36):
        yield passage("story", " ".join(rng.choice(part) for part in STORY))
    for subject, text in SUBJECTS:
        yield passage("subject", f"A note on {subject}. {text}")
