"""Short passages and sentences: who did what, what follows, which word means the same. Nothing needs to be known that
the passage or common sense does not say.
"""

from __future__ import annotations

import random
from itertools import pairwise

from suite_tools.lines import Ask, names, others, pairs, related, rows

WOMEN = names("Anna; Clara; Emma; Grace; Ida; Julia; Laura; Maria; Nora; Sarah")
MEN = names("Ben; David; Frank; Henry; Jack; Leo; Martin; Oscar; Peter; Tom")
OBJECTS = names("key; letter; cup; hat; ring; book; camera; phone; ticket; knife; scarf; map")
PLACES = names("drawer; kitchen; garden; car; box; bathroom; attic; basket; cupboard; garage; hall; cellar")
ANIMALS = names("dog; cat; horse; goat; fox; goose; cow; monkey; rabbit; donkey")
JOBS = pairs("""
    baker: makes bread; nurse: looks after the sick; farmer: grows wheat; teacher: works in a school;
    pilot: flies planes; fisherman: catches fish; painter: paints pictures; tailor: sews clothes;
    gardener: looks after plants; cook: prepares meals; carpenter: builds tables; dentist: repairs teeth
""")
COMPARED = rows("""
    taller|tallest|shortest
    older|oldest|youngest
    faster|fastest|slowest
    richer|richest|poorest
    stronger|strongest|weakest
""")
MEANING = pairs("""
    large: big; quick: fast; begin: start; silent: quiet; glad: happy; angry: mad; error: mistake; street: road;
    present: gift; sick: ill; shut: close; reply: answer; difficult: hard; purchase: buy; stone: rock; scared: afraid;
    wealthy: rich; tale: story; journey: trip; clever: smart; tiny: small; choose: pick; lift: raise; vanish: disappear;
    entire: whole; usual: normal; evil: wicked; assist: help; forest: woods; nearly: almost; observe: watch;
    collect: gather; speak: talk; weep: sob; repair: fix; shout: yell; injure: hurt; sleepy: tired; odd: strange;
    cab: taxi; brave: bold; permit: allow; conceal: hide; ancient: old; automobile: car; physician: doctor;
    infant: baby; finish: end; remain: stay; pretty: beautiful
""")
CLASSES = pairs("""
    Apples, pears and plums: fruit; Chairs, tables and beds: furniture; Hammers, saws and pliers: tools;
    Ants, bees and beetles: insects; Roses, tulips and daisies: flowers; Violins, flutes and drums: instruments;
    Shirts, trousers and coats: clothes; Carrots, onions and cabbages: vegetables; Robins, eagles and sparrows: birds;
    Red, blue and green: colours; Monday, Tuesday and Friday: days; March, June and October: months;
    Football, tennis and hockey: sports; Cars, buses and lorries: vehicles; France, Japan and Brazil: countries;
    Oaks, pines and birches: trees; Gold, iron and copper: metals; Circles, squares and triangles: shapes;
    Salmon, trout and herring: fish; Rings, necklaces and bracelets: jewels; Water, milk and juice: drinks;
    Cheddar, Gouda and Brie: cheeses; Poodles, terriers and collies: dogs; Seven, twelve and forty: numbers;
    English, Spanish and Dutch: languages; Dolls, kites and toy trains: toys; Cups, plates and bowls: dishes;
    Waltz, tango and polka: dances; Aunts, cousins and uncles: relatives; Rain, snow and fog: weather
""")
FOLLOWS = rows("""
    It had rained all night, and in the morning the streets were|wet|dusty|burning|loud
    She forgot to water the flowers for a month, so they|died|sang|froze|laughed
    He did not sleep at all last night, so today he is very|tired|tall|round|wealthy
    The shop had already closed, so we could not|buy anything|see the moon|remember our names|grow any taller
    The bag was far too heavy for her, so he offered to|carry it|drink it|read it|marry it
    The lamp went out and the room became|dark|salty|hungry|famous
    The ice cream stood in the sun for an hour and|melted|barked|grew|woke up
    He had lost his glasses and could not|read the sign|lift his arm|taste the soup|hear the bell
    The bread stayed in the oven too long and came out|burnt|wet|frozen|blue
    They had no umbrella when the storm began, so they got|soaked|married|dressed|famous
    The battery of the phone was empty, so she had to|charge it|feed it|wash it|plant it
    The road was covered with ice, so the driver went very|slowly|loudly|sweetly|happily
    He ate nothing all day, and by evening he was|hungry|full|invisible|wooden
    The baby had a fever, so her parents called a|doctor|plumber|singer|gardener
    She won the first prize and felt very|proud|thirsty|guilty|square
    The tyre was flat, so he had to|change it|eat it|teach it|water it
    The soup was too hot to eat, so we let it|cool down|run away|fall asleep|grow up
    The children heard a strange noise and were|frightened|delicious|transparent|expensive
    The wind blew his hat away, and he ran after|the hat|the winter|the price|the question
    The lake froze over, so the children could go|skating|swimming|sailing|diving
    The museum was free on Sundays, so nobody had to|pay|breathe|look|stand
    My watch had stopped, so I did not know the|time|language|colour|weather
    He told a very funny joke, and everyone began to|laugh|cry|sleep|cook
    The room smelt of smoke, so she opened the|window|book|letter|umbrella
    The dog had not eaten since yesterday, so it finished its bowl at|once|sea|war|school
    The library is a quiet place, so please do not|shout|read|sit|think
    The milk was a month old and tasted|sour|young|early|straight
    Her shoes were too small, and her feet began to|hurt|sing|shine|write
    They planted the tree in spring, and by autumn it had|grown|spoken|driven|boiled
    The thief heard the police coming and|ran away|fell in love|bought flowers|baked bread
    He pressed the switch, and the light came|on|late|home|true
    The paint on the bench was still wet, so nobody should|sit on it|look at it|talk about it|walk past it
    The jar was closed so tightly that she could not|open it|see it|name it|weigh it
    There was only one seat left, so the others had to|stand|swim|pay|sneeze
    The letter had the wrong address, so it never|arrived|laughed|melted|slept
    He spoke so quietly that we could hardly|hear him|see him|smell him|feed him
    The mirror fell to the floor and|broke|grew|sang|ripened
    The film was so boring that he fell|asleep|in love|upstairs|green
    She studied hard for the test and got a good|mark|storm|spoon|tooth
    The sun rose and it became|light|dark|midnight|yesterday
    It was freezing outside, so he put on a|warm coat|swimsuit|paper hat|pair of sunglasses
    The boat had a hole in it, so it began to|sink|fly|bark|dance
    The bus was late, so we reached school after the|lesson had begun|moon had melted|desk had laughed|book had eaten
    He cut his finger and put on a|plaster|necktie|hat|record
    The glass was full to the brim, and when he moved it, some water|spilled|burned|dried|hardened
    She had no money with her, so she could not pay the|bill|name|cloud|dream
    The puppy chewed the slipper until it was|ruined|asleep|married|clever
    Nobody answered the door because everybody was|out|tall|left-handed|made of glass
    The train was crowded, so we could not find a|seat|reason|river|language
    The cake needed more sugar because it was not|sweet enough|tall enough|old enough|loud enough
""")
SENSES = rows("""
    We sat on the bank and watched the water flow by. Here "bank" means|the side of a river|a house for money|a row of keys|a kind of fish
    The bat flew out of the cave at dusk. Here "bat" means|an animal|a wooden stick|a blink of the eye|a kind of boat
    He hit the ball with the bat. Here "bat" means|a wooden stick|an animal|a cave|a glove
    She wore a gold ring on her finger. Here "ring" means|a piece of jewellery|the sound of a bell|a place for boxing|a phone call
    I heard the ring of the telephone. Here "ring" means|a sound|a piece of jewellery|a circle of stones|a finger
    The leaves of the tree turned red. Here "leaves" means|parts of a plant|goes away|pages of a diary|remains
    The train leaves at nine. Here "leaves" means|departs|parts of a plant|arrives|is repaired
    Please turn on the light. Here "light" means|lamp|not heavy|pale in colour|a match
    The suitcase is light enough to carry. Here "light" means|not heavy|lamp|bright|morning
    He broke the date because he was ill. Here "date" means|a meeting|a sweet fruit|a day in history|a stamp
    She ate a dried date after dinner. Here "date" means|a fruit|a meeting|a calendar day|an age
    The nail in the wall holds the picture. Here "nail" means|a pointed piece of metal|the end of a finger|a kind of paint|a crack
    She painted every nail pink. Here "nail" means|the end of a finger|a pointed piece of metal|a hammer|a wall
    The spring was cold and clear, and we drank from it. Here "spring" means|a source of water|a season|a metal coil|a jump
    In spring the flowers open. Here "spring" means|a season|a source of water|a metal coil|a jump
    The king wore a crown. Here "crown" means|something worn on the head|part of a tooth|an old coin|the top of a hill
    The seal swam towards the fish. Here "seal" means|an animal|a stamp of wax|a tight lid|a promise
    The crane lifted the beam to the roof. Here "crane" means|a machine|a bird|a stretch of the neck|a rope
    The judge sent him to court. Here "court" means|a place of law|a place for tennis|a king's palace|a yard
    They played tennis on the court. Here "court" means|a place for a game|a place of law|a judge|a ship
    The pupil raised her hand to answer. Here "pupil" means|a student|a part of the eye|a doll|a glove
    Rock music was played all night. Here "rock" means|a kind of music|a stone|a movement|a sweet
    He threw a rock into the lake. Here "rock" means|a stone|a kind of music|a cradle|a ship
    The fans cheered when their team won. Here "fans" means|supporters|machines that blow air|birds|flags
    She kept her savings in the bank. Here "bank" means|a house for money|the side of a river|a bench|a cloud
    The play was sold out, so we could not see it. Here "play" means|a piece for the theatre|a children's game|a move in chess|a toy
    It is not fair that he got more. Here "fair" means|just|blond|a market|dry
    He put the letter in an envelope. Here "letter" means|a written message|a sign such as A or B|a landlord|a key
    The word has one letter too many. Here "letter" means|a sign such as A or B|a written message|a stamp|a postman
    They had a match to light the fire. Here "match" means|a small stick that burns|a game|a good pair|a candle
""")  # noqa: E501 - an item a line


def _four(rng: random.Random) -> list[str]:
    return rng.sample(WOMEN + MEN, 4)


def workers(rng: random.Random) -> Ask:
    """Four people with four jobs; who does what one of the jobs is about?"""
    people, jobs = _four(rng), rng.sample(JOBS, 4)
    said = [f"{person} is a {job}" for person, (job, _) in zip(people, jobs, strict=True)]
    chosen = rng.randrange(4)
    right = people[chosen]
    prompt = f"{', '.join(said[:3])} and {said[3]}. The one who {jobs[chosen][1]} is"
    return Ask("inference", prompt, right, [person for person in people if person != right])


def where_is(rng: random.Random) -> Ask:
    """Four things in four places; where is one of them?"""
    who, things, places = rng.choice(WOMEN + MEN), rng.sample(OBJECTS, 4), rng.sample(PLACES, 4)
    said = [f"the {thing} in the {place}" for thing, place in zip(things, places, strict=True)]
    chosen = rng.randrange(4)
    prompt = f"{who} left {', '.join(said[:3])} and {said[3]}. The {things[chosen]} is in the"
    return Ask("place", prompt, places[chosen], [place for place in places if place != places[chosen]])


def moved(rng: random.Random) -> Ask:
    """Two things, one of which changes its place."""
    who, (thing, other), places = rng.choice(WOMEN + MEN), rng.sample(OBJECTS, 2), rng.sample(PLACES, 4)
    prompt = (
        f"{who} put the {thing} in the {places[0]} and the {other} in the {places[1]}. Later {who} moved the {thing} "
        f"to the {places[2]}, but not to the {places[3]}. Now the {thing} is in the"
    )
    return Ask("change", prompt, places[2], [places[0], places[1], places[3]])


def pronoun(rng: random.Random) -> Ask:
    """A woman and a man act; the pronoun tells who did it. The other two only stand by."""
    (woman, second), (man, fourth), thing = rng.sample(WOMEN, 2), rng.sample(MEN, 2), rng.choice(OBJECTS)
    she = rng.random() < 0.5
    right = woman if she else man
    who, to = ("She", "him") if she else ("He", "her")
    prompt = (
        f"{second} and {fourth} stayed at home. {woman} met {man} at the station. {who} gave {to} a {thing}. "
        f"The {thing} was given away by"
    )
    return Ask("coreference", prompt, right, [name for name in (woman, man, second, fourth) if name != right])


def chase(rng: random.Random) -> Ask:
    """Active and passive: who did it to whom? Two further animals only look on."""
    hunter, hunted, third, fourth = rng.sample(ANIMALS, 4)
    verb = rng.choice(("chased", "followed", "scared", "pushed"))
    passive = rng.random() < 0.5
    said = f"The {hunted} was {verb} by the {hunter}" if passive else f"The {hunter} {verb} the {hunted}"
    prompt = f"{said}, while the {third} and the {fourth} looked on. The animal that {verb} another one was the"
    return Ask("voice", prompt, hunter, [hunted, third, fourth])


def ordered(rng: random.Random) -> Ask:
    """Four people in a row of comparisons: harder."""
    people, (more, most, least) = _four(rng), rng.choice(COMPARED)
    said = [f"{first} is {more} than {second}." for first, second in pairwise(people)]
    right, asked = (people[0], most) if rng.random() < 0.5 else (people[-1], least)
    rng.shuffle(said)
    wrong = [person for person in people if person != right]
    return Ask("order", f"{' '.join(said)} The {asked} of the four is", right, wrong)


def not_this(rng: random.Random) -> Ask:
    """Three of four people came; who did not?"""
    people, event = _four(rng), rng.choice(names("party; wedding; match; concert; picnic; meeting; lesson; dinner"))
    right, *came = people
    prompt = f"{came[0]}, {came[1]} and {came[2]} came to the {event}, but {right} did not. The one who missed it was"
    return Ask("negation", prompt, right, came)


def synonyms(rng: random.Random) -> list[Ask]:
    """A word and its neighbour in meaning; the wrong ones are such neighbours of other words."""
    return related(rng, "meaning", 'The word "{}" means almost the same as', MEANING)


def classes(rng: random.Random) -> list[Ask]:
    pool = [name for _, name in CLASSES]
    return [Ask("class", f"{things} are all", right, others(rng, right, pool)) for things, right in CLASSES]


def written(kind: str, table: list[list[str]]) -> list[Ask]:
    return [Ask(kind, prompt, right, wrong) for prompt, right, *wrong in table]


def asks() -> list[Ask]:
    """530 items of eleven kinds; 160 written by hand, the others drawn."""
    rng = random.Random("understanding")
    made = [*written("consequence", FOLLOWS), *synonyms(rng), *classes(rng), *written("sense", SENSES)]
    for kind, count in ((workers, 60), (where_is, 80), (moved, 40), (pronoun, 50), (chase, 50), (ordered, 40)):
        made += [kind(rng) for _ in range(count)]
    return made + [not_this(rng) for _ in range(50)]
