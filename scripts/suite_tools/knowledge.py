"""Relations that most people know: appended to the hand-written part of the knowledge suite."""

from __future__ import annotations

import random

from suite_tools.lines import Ask, pairs, related

CAPITALS = pairs("""
    Portugal: Lisbon; Norway: Oslo; Sweden: Stockholm; Finland: Helsinki; Denmark: Copenhagen; Poland: Warsaw;
    Austria: Vienna; Hungary: Budapest; the Czech Republic: Prague; Ireland: Dublin; Belgium: Brussels;
    the Netherlands: Amsterdam; Turkey: Ankara; Egypt: Cairo; Kenya: Nairobi; Ethiopia: Addis Ababa; Morocco: Rabat;
    Nigeria: Abuja; Ghana: Accra; India: New Delhi; Pakistan: Islamabad; Nepal: Kathmandu; Thailand: Bangkok;
    Vietnam: Hanoi; the Philippines: Manila; South Korea: Seoul; Mongolia: Ulaanbaatar; Iran: Tehran; Iraq: Baghdad;
    Cuba: Havana; Canada: Ottawa; Argentina: Buenos Aires; Chile: Santiago; Peru: Lima; Colombia: Bogotá;
    Venezuela: Caracas; Ecuador: Quito; Uruguay: Montevideo; Australia: Canberra; New Zealand: Wellington;
    Iceland: Reykjavik; Romania: Bucharest; Bulgaria: Sofia; Serbia: Belgrade; Croatia: Zagreb; Ukraine: Kyiv;
    Lebanon: Beirut; Syria: Damascus; Saudi Arabia: Riyadh; Afghanistan: Kabul
""")
LANGUAGES = pairs("""
    Brazil: Portuguese; Mexico: Spanish; Austria: German; Egypt: Arabic; Iran: Persian; Poland: Polish;
    Greece: Greek; Hungary: Hungarian; Sweden: Swedish; Norway: Norwegian; Denmark: Danish; Finland: Finnish;
    Thailand: Thai; Vietnam: Vietnamese; Turkey: Turkish; Romania: Romanian; Bulgaria: Bulgarian; Nepal: Nepali;
    Iceland: Icelandic; Albania: Albanian
""")
SYMBOLS = pairs("""
    gold: Au; silver: Ag; iron: Fe; copper: Cu; lead: Pb; tin: Sn; sodium: Na; potassium: K; oxygen: O; hydrogen: H;
    carbon: C; nitrogen: N; helium: He; calcium: Ca; mercury: Hg; zinc: Zn; neon: Ne; aluminium: Al; chlorine: Cl;
    magnesium: Mg
""")
CONTINENTS = pairs("""
    Kenya: Africa; Nigeria: Africa; Ghana: Africa; Tanzania: Africa; Uganda: Africa; Zambia: Africa; Mali: Africa;
    China: Asia; Nepal: Asia; Thailand: Asia; Vietnam: Asia; Mongolia: Asia; Pakistan: Asia; Malaysia: Asia;
    France: Europe; Poland: Europe; Sweden: Europe; Austria: Europe; Ireland: Europe; Belgium: Europe; Croatia: Europe;
    Brazil: South America; Chile: South America; Peru: South America; Bolivia: South America; Ecuador: South America;
    Uruguay: South America; Paraguay: South America
""")
YOUNG = pairs("""
    cow: calf; sheep: lamb; horse: foal; pig: piglet; goat: kid; bear: cub; duck: duckling; goose: gosling;
    swan: cygnet; frog: tadpole; deer: fawn; kangaroo: joey; hen: chick; dog: puppy
""")
AUTHORS = pairs("""
    Hamlet: William Shakespeare; Oliver Twist: Charles Dickens; Pride and Prejudice: Jane Austen;
    War and Peace: Leo Tolstoy; The Adventures of Tom Sawyer: Mark Twain; The Hobbit: J. R. R. Tolkien;
    Don Quixote: Miguel de Cervantes; Les Misérables: Victor Hugo; the Odyssey: Homer; Frankenstein: Mary Shelley;
    Dracula: Bram Stoker; Animal Farm: George Orwell; Alice in Wonderland: Lewis Carroll;
    Treasure Island: Robert Louis Stevenson; Around the World in Eighty Days: Jules Verne;
    The Jungle Book: Rudyard Kipling; Moby Dick: Herman Melville; The Metamorphosis: Franz Kafka
""")
CURRENCIES = pairs("""
    Japan: yen; India: rupee; Russia: rouble; the United Kingdom: pound; the United States: dollar; Switzerland: franc;
    Poland: zloty; China: yuan; Mexico: peso; Thailand: baht; South Korea: won; Turkey: lira; Hungary: forint;
    Israel: shekel; Germany: euro
""")


def asks() -> list[Ask]:
    """165 items in seven relations."""
    rng = random.Random("knowledge")
    return [
        *related(rng, "capital", "The capital city of {} is called", CAPITALS),
        *related(rng, "language", "Most people in {} grow up speaking", LANGUAGES),
        *related(rng, "symbol", "The chemical symbol for {} is", SYMBOLS),
        *related(rng, "continent", "The country of {} lies in", CONTINENTS),
        *related(rng, "young", "The young of a {} is called a", YOUNG),
        *related(rng, "author", "The book {} was written by", AUTHORS),
        *related(rng, "currency", "People who go shopping in {} pay with the", CURRENCIES),
    ]
