"""Private data made up by chance. Check digits are worked out here or found by trying, never by the code under test."""

from __future__ import annotations

import string
from collections.abc import Callable
from itertools import pairwise
from random import Random

from stdnum.at import vnr
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fi import hetu
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn

FIRST = (
    "anna",
    "jonas",
    "marie",
    "pedro",
    "giulia",
    "ahmed",
    "wei",
    "olga",
    "priya",
    "tom",
    "lucía",
    "françois",
    "jürgen",
)
LAST = (
    "keller",
    "smith",
    "dubois",
    "garcía",
    "rossi",
    "silva",
    "nowak",
    "jansen",
    "müller",
    "o'neill",
    "khan",
    "svensson",
)
DOMAINS = (
    *("gmail.com", "web.de", "orange.fr", "yahoo.co.uk", "libero.it", "uol.com.br", "hotmail.es", "protonmail.com"),
    *("mail.stadt-köln.de", "cs.uni-heidelberg.de", "acme-tools.io", "studio.technology", "x1.nl", "wp.pl"),
)
ASCII_OF = str.maketrans("áäåçéíñóöüłß'", "aaaceinooulsx")


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def shaped(rng: Random, shape: str) -> str:
    """Each # becomes a digit, each N one from 1 to 9."""
    return "".join(rng.choice("0123456789") if c == "#" else rng.choice("123456789") if c == "N" else c for c in shape)


def tried(rng: Random, shape: str, is_valid: Callable[[str], bool]) -> str:
    """Numbers of a shape until one is valid."""
    while not is_valid(value := shaped(rng, shape)):
        pass
    return value


def token(rng: Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(rng.choices(alphabet, k=count))


def email(rng: Random) -> str:
    first, last = rng.choice(FIRST).translate(ASCII_OF), rng.choice(LAST).translate(ASCII_OF)
    name = rng.choice(
        (
            f"{first}.{last}",
            f"{first}_{last}{digits(rng, 2)}",
            f"{first[0]}{last}",
            f"{first}+shop",
            f"{last}-{first}",
            first,
        )
    )
    value = f"{name}@{rng.choice(DOMAINS)}"
    return value.upper() if rng.random() < 0.05 else value.title() if rng.random() < 0.1 else value


INTERNATIONAL_PHONES = (
    *("+1 212-###-0###", "+1 (415) 6##-####", "+14155##N###", "+44 20 79## ####", "+44 7400 ######", "+49 30 ########"),
    *(
        "+49 (0)171 #######",
        "+49-151-########",
        "+33 6 ## ## ## ##",
        "+33145######",
        "+34 6## ## ## ##",
        "+39 347 #######",
    ),
    *(
        "+31 6 2#######",
        "+48 60# ### ###",
        "+55 11 9####-####",
        "+91 98### #####",
        "+61 412 ### ###",
        "+41 79 ### ## ##",
    ),
    *(
        "+46 70 ### ## ##",
        "+43 664 #######",
        "+86 138 #### ####",
        "+81 90-####-####",
        "+52 55 #### ####",
        "0049 171 #######",
    ),
)
NATIONAL_PHONES = (
    *(
        "(212) 6##-####",
        "415-6##-####",
        "312.6##.####",
        "07400 ######",
        "020 79## ####",
        "0171 #######",
        "030 ########",
    ),
    *("0151-########", "06 ## ## ## ##", "01.45.##.##.##", "6## ## ## ##", "347 #######", "06-2#######", "60# ### ###"),
    *("(11) 9####-####", "98### #####", "0412 ### ###", "089/#######"),
)


def international_phone(rng: Random) -> str:
    return shaped(rng, rng.choice(INTERNATIONAL_PHONES))


def national_phone(rng: Random) -> str:
    return shaped(rng, rng.choice(NATIONAL_PHONES))


def luhn_digit(number: str) -> str:
    """The digit that makes the sum of Luhn a multiple of ten."""
    doubled = (int(c) * (2 if place % 2 == 0 else 1) for place, c in enumerate(reversed(number)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def card(rng: Random) -> str:
    begin, length = rng.choice(
        (("4", 16), ("4", 16), ("51", 16), ("54", 16), ("2221", 16), ("37", 15), ("34", 15), ("6011", 16))
    )
    number = begin + digits(rng, length - len(begin) - 1)
    number += luhn_digit(number)
    separator = rng.choice(("", " ", " ", "-"))
    cuts = (0, 4, 10, 15) if length == 15 else (0, 4, 8, 12, 16)
    return separator.join(number[one:other] for one, other in pairwise(cuts))


def iban(rng: Random) -> str:
    country, shape = rng.choice(
        (
            *(
                ("DE", "#" * 18),
                ("GB", "AAAA" + "#" * 14),
                ("NL", "AAAA" + "#" * 10),
                ("AT", "#" * 16),
                ("CH", "#" * 17),
            ),
            *(("FR", "#" * 23), ("IT", "A" + "#" * 22), ("PL", "#" * 24), ("IE", "AAAA" + "#" * 14)),
        )
    )
    account = "".join(rng.choice(string.ascii_uppercase) if c == "A" else rng.choice(string.digits) for c in shape)
    as_number = int("".join(str(int(c, 36)) for c in f"{account}{country}00"))
    value = f"{country}{98 - as_number % 97:02d}{account}"
    return " ".join(value[place : place + 4] for place in range(0, len(value), 4)) if rng.random() < 0.6 else value


def _nino(rng: Random) -> str:
    return shaped(rng, f"{rng.choice('ABCEHJLMPRSWXY')}{rng.choice('ABCEHJKLMPRSTWXZ')} ## ## ## {rng.choice('ABCD')}")


def _codice(rng: Random) -> str:
    letters = "".join(rng.choices("BCDFGLMNPRSTV", k=6))
    value = f"{letters}{rng.randint(50, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randint(1, 28):02d}H501"
    return value + codicefiscale.calc_check_digit(value)


def _nir(rng: Random) -> str:
    number = f"{rng.choice('12')}{rng.randint(40, 99)}{rng.randint(1, 12):02d}75{digits(rng, 3)}{digits(rng, 3)}"
    value = number + f"{97 - int(number) % 97:02d}"
    return (
        f"{value[0]} {value[1:3]} {value[3:5]} {value[5:7]} {value[7:10]} {value[10:13]} {value[13:]}"
        if rng.random() < 0.5
        else value
    )


def _date(rng: Random) -> str:
    return f"{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"


def _personnummer(rng: Random) -> str:
    number = _date(rng) + digits(rng, 3)
    number += luhn_digit(number)
    return f"{number[:6]}-{number[6:]}"


def _ric(rng: Random) -> str:
    def make() -> str:
        day, month, year = _day(rng)
        return f"11010519{year}{month}{day}{digits(rng, 4)}"

    return _checked(make, ric.is_valid)


def _checked(make: Callable[[], str], is_valid: Callable[[str], bool]) -> str:
    while not is_valid(value := make()):
        pass
    return value


def _day(rng: Random) -> tuple[str, str, str]:
    """Day, month and year of birth, two digits each."""
    return f"{rng.randint(1, 28):02d}", f"{rng.randint(1, 12):02d}", f"{rng.randint(50, 99)}"


def _hetu(rng: Random) -> str:
    def make() -> str:
        check = rng.choice("0123456789ABCDEFHJKLMNPRSTUVWXY")
        return f"{''.join(_day(rng))}-{rng.randint(2, 899):03d}{check}"

    return _checked(make, hetu.is_valid)


def _nn(rng: Random) -> str:
    def make() -> str:
        return f"{'.'.join(reversed(_day(rng)))}-{rng.randint(1, 997):03d}.{digits(rng, 2)}"

    return _checked(make, nn.is_valid)


# (how people introduce it, the number)
NATIONAL_IDS: tuple[tuple[str, Callable[[Random], str]], ...] = (
    ("My SSN is {}", lambda rng: tried(rng, "###-##-####", ssn.is_valid)),
    ("Social Security Number: {}", lambda rng: tried(rng, "###-##-####", ssn.is_valid)),
    ("National Insurance number {}", _nino),
    ("her NHS number is {}", lambda rng: tried(rng, "### ### ####", nhs.is_valid)),
    ("SIN: {}", lambda rng: tried(rng, "### ### ###", sin.is_valid)),
    ("Meine Steuer-ID lautet {}", lambda rng: tried(rng, "N##########", idnr.is_valid)),
    ("Sozialversicherungsnummer {}", lambda rng: tried(rng, "N###0N0N##", vnr.is_valid)),
    ("AHV-Nummer {}", lambda rng: tried(rng, "756.####.####.##", ahv.is_valid)),
    ("numéro de sécurité sociale : {}", _nir),
    ("Rijksregisternummer {}", _nn),
    ("mijn BSN is {}", lambda rng: tried(rng, "N########", bsn.is_valid)),
    ("mi DNI es {}", lambda rng: (number := digits(rng, 8)) + dni.calc_check_digit(number)),
    ("codice fiscale {}", _codice),
    ("PESEL {}", lambda rng: (number := _date(rng) + digits(rng, 4)) + pesel.calc_check_digit(number)),
    ("personnummer {}", _personnummer),
    ("henkilötunnus {}", _hetu),
    ("meu CPF é {}", lambda rng: tried(rng, "###.###.###-##", cpf.is_valid)),
    ("My Aadhaar is {}", lambda rng: tried(rng, "N### #### ####", aadhaar.is_valid)),
    ("身份证号码 {}", _ric),
)


def ip(rng: Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(("2a02:8108", "2001:4860", "2606:4700", "2a01:4f8")) + "".join(
            f":{rng.randint(1, 65535):x}" for _ in range(6)
        )
    first = rng.choice((5, 23, 31, 46, 62, 77, 81, 85, 91, 93, 109, 134, 151, 178, 185, 195, 203, 212))
    return f"{first}.{rng.randint(34, 250)}.{rng.randint(40, 254)}.{rng.randint(2, 254)}"


HEX = "0123456789abcdef"
KEYS: tuple[Callable[[Random], str], ...] = (
    lambda rng: "AKIA" + token(rng, 16, string.ascii_uppercase + "234567"),
    lambda rng: "AIzaSy" + token(rng, 33),
    lambda rng: "ghp_" + token(rng, 36),
    lambda rng: "github_pat_" + token(rng, 22) + "_" + token(rng, 59),
    lambda rng: "glpat-" + token(rng, 20),
    lambda rng: "sk-proj-" + token(rng, 48),
    lambda rng: "sk-" + token(rng, 48),
    lambda rng: "sk-ant-api03-" + token(rng, 93) + "AA",
    lambda rng: "hf_" + token(rng, 34, string.ascii_letters),
    lambda rng: "sk_live_" + token(rng, 24),
    lambda rng: f"xoxb-{digits(rng, 12)}-{digits(rng, 13)}-{token(rng, 24)}",
    lambda rng: "SG." + token(rng, 22) + "." + token(rng, 43),
    lambda rng: "npm_" + token(rng, 36),
    lambda rng: "pypi-AgEIcHlwaS5vcmc" + token(rng, 120),
    lambda rng: "dop_v1_" + token(rng, 64, HEX),
    lambda rng: "shpat_" + token(rng, 32, HEX),
    lambda rng: f"{shaped(rng, 'N#########')}:AA{token(rng, 33)}",
    lambda rng: f"eyJhbGciOiJIUzI1NiJ9.eyJ{token(rng, 60)}.{token(rng, 43)}",
    lambda rng: f"https://hooks.slack.com/services/T{token(rng, 8).upper()}/B{token(rng, 8).upper()}/{token(rng, 24)}",
    lambda rng: (
        "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join(token(rng, 64) for _ in range(5))
        + "\n-----END RSA PRIVATE KEY-----"
    ),
)


def key(rng: Random) -> str:
    return rng.choice(KEYS)(rng)


WORDS = (
    "Summer",
    "dragon",
    "Monkey",
    "Berlin",
    "hunter",
    "Luna",
    "football",
    "Qwerty",
    "Sonne",
    "chocolat",
    "futbol",
    "ninja",
)


def password(rng: Random) -> str:
    """A word with a year, a random string, or three words."""
    kind = rng.random()
    if kind < 0.5:
        number = rng.choice((digits(rng, 2), f"20{digits(rng, 2)}", digits(rng, 4)))
        return rng.choice(WORDS) + rng.choice(("", "_", "-")) + number + rng.choice(("", "#", "*", "#x"))
    if kind < 0.8:
        return token(rng, rng.randint(9, 16), string.ascii_letters + string.digits + "#%&*+=") + digits(rng, 1) + "k"
    return "-".join(rng.sample([word.lower() for word in WORDS], 3)) + digits(rng, 2)
