"""Texts that look like private data and are none. {…} are filled by chance."""

from __future__ import annotations

import hashlib
import string
import uuid
from collections.abc import Callable
from random import Random

from tests.private_corpus.values import digits, shaped, token


def _hash(rng: Random) -> str:
    data = rng.randbytes(16)
    return rng.choice((hashlib.md5, hashlib.sha1, hashlib.sha256))(data).hexdigest()


def _isbn(rng: Random) -> str:
    body = "978" + digits(rng, 9)
    check = -sum(int(c) * (3 if place % 2 else 1) for place, c in enumerate(body)) % 10
    value = f"{body}{check}"
    return value if rng.random() < 0.4 else f"978-{value[3]}-{value[4:8]}-{value[8:12]}-{value[12]}"


FILL: dict[str, Callable[[Random], str]] = {
    "order": lambda rng: shaped(
        rng, rng.choice(("N#######", "N#########", "20240###-####", "N###-#######-#######", "N###########"))
    ),
    "long": lambda rng: shaped(
        rng, rng.choice(("20240#########", "N###############", "100000########", "N##################"))
    ),
    "date": lambda rng: rng.choice(
        (
            f"20{digits(rng, 2)}-03-1{digits(rng, 1)}",
            f"1{digits(rng, 1)}.03.20{digits(rng, 2)}",
            f"03/1{digits(rng, 1)}/20{digits(rng, 2)} 10:45",
        )
    ),
    "version": lambda rng: ".".join(str(rng.randint(0, 30)) for _ in range(rng.choice((3, 4, 4)))),
    "bigversion": lambda rng: f"{rng.randint(80, 130)}.0.{rng.randint(1000, 6000)}.{rng.randint(20, 200)}",
    "hash": _hash,
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "isbn": _isbn,
    "price": lambda rng: rng.choice(
        (f"${shaped(rng, 'N,###,###.##')}", f"{shaped(rng, 'N.###.###,##')} €", f"{shaped(rng, 'N## ### ###')} EUR")
    ),
    "geo": lambda rng: f"{rng.randint(-89, 89)}.{digits(rng, 6)}, {rng.randint(-179, 179)}.{digits(rng, 6)}",
    "handle": lambda rng: f"@{rng.choice(('anna', 'tom_99', 'the.real.max', 'dev-ops'))}",
    "private": lambda rng: rng.choice(
        (
            f"192.168.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
            f"10.{rng.randint(0, 255)}.0.{rng.randint(1, 254)}",
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.0",
            "172.16.4.1",
        )
    ),
    "n": lambda rng: shaped(rng, "N##"),
    "year": lambda rng: f"{rng.randint(1900, 2024)}",
    "stamp": lambda rng: f"17{digits(rng, rng.choice((8, 11)))}",
    "b64": lambda rng: token(rng, rng.choice((24, 40, 64)), string.ascii_letters + string.digits + "+/"),
    "sku": lambda rng: (
        f"{token(rng, 2, string.ascii_uppercase)}{digits(rng, 6)}{token(rng, 1, string.ascii_uppercase)}"
    ),
}
TEMPLATES = (
    "My order {order} has not arrived.",
    "Order number: {order}, placed on {date}.",
    "Bestellnummer {order} vom {date}",
    "Numéro de commande {order}",
    "Pedido {order} del {date}",
    "Call the function 3 times, then ticket {order} is closed.",
    "I would like to call about invoice {order}, please.",
    "Tracking number {long} says delivered on {date}.",
    "The parcel {long} is lost.",
    "Transaction id {long} on {date}",
    "Updated from version {version} to {version}.",
    "pip install torch=={version}",
    "Python {version} and CUDA {version}",
    "Firmware v{version} fixes it.",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/{bigversion} Safari/537.36",
    "See section {version} of the manual and chapter {version}.",
    "commit {hash}",
    "sha256: {hash}",
    "The ETag is {hash}, the id {uuid}.",
    "Session {uuid} expired.",
    'image: "data:image/png;base64,{b64}=="',
    "ISBN {isbn}, page {n}",
    "The book {isbn} was printed in {year}.",
    "The total is {price} for {n} boxes.",
    "Das kostet {price} statt {price}.",
    "He sold it for {price} in {year}.",
    "It is at {geo}.",
    "lat/lon: {geo}",
    "Follow {handle} on the network, or ask {handle}@mastodon.",
    "Thanks {handle}! cc {handle}",
    "The router is at {private}, mask {private}.",
    "bind 0.0.0.0 and open http://127.0.0.1:8080/{n}",
    "DNS 8.8.8.8 and 1.1.1.1 answer.",
    "Between {year}-{year} the population grew to {n} {n} {n}.",
    "{year}, {year}, {year} and {year} were wet years.",
    "timestamp={stamp}",
    "created_at: {stamp}, updated_at: {stamp}",
    "SKU {sku} is out of stock; take {sku}.",
    "My password does not work since {date}.",
    "password is required and must have 8 characters",
    "I forgot my password. How do I reset it?",
    "The password is wrong, says the app.",
    "password = os.environ['DB_PASSWORD']",
    'password: "${{DB_PASSWORD}}"',
    "api_key=YOUR_API_KEY_GOES_HERE_12345678",
    "token = get_token(user_id={n})",
    "the token is expired; the key is in the drawer",
    "secret: <your-secret-key>",
    "openai.api_key = 'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    "Passwort vergessen? Passwort: mindestens 8 Zeichen",
    "mot de passe oublié, mot de passe incorrect depuis {date}",
    "def reset_password(password: str, salt: bytes = b'') -> None:",
    "git clone git@github.com:acme/tools.git",
    "npm install lodash@{version} @types/node@{version}",
    "logo@2x.png and icon@3x.png",
    "Write to user@example.com or test@localhost.",
    "@property\ndef size(self): return self.a@self.b.T",
    "3.14159265358979 and 2.718281828459045",
    "0.1234567890 0.9876543210 1e-10",
    "The CAS number is 7732-18-5, melting at 273.15 K.",
    "doi:10.1038/s41586-020-2649-2, arXiv:2106.09685v2",
    "MAC 00:1B:44:11:3A:B7",
    "Meet at 10:30:00 or 2024-05-01T10:30:00+02:00.",
    "ratio 16:9::4:3, std::vector<int>::size_type",
    "for i in range({n}): x[{n}:{n}:{n}] = {n}",
    "2 + 2 = 4; {n} * {n} = {n}{n}",
    "Score 6-4 6-3 7-5, season {year}/24",
    "Genesis 1:1-31; Psalm 119:105",
    "Flight LH{n} on {date}, seat 12A, gate B22",
    "Model number {sku}-{n}, serial no. {order}",
    "Customer ID {order} called about case {order}.",
    "Konto Nr. {order} ist leer.",
    "In {year} about {n}.{n}.{n} people lived there.",
    "0800 is the prefix; press 1, then 2.",
    "The ratio was 1234567 to 7654321.",
    "UPS 1Z999AA10123456784 is on its way.",
    "EAN 4006381333931, IMEI 490154203237518",
    "GET /api/v1/items/{stamp}?page={n}&token=abc",
    "x = 0x{hash}",
    "IN THE YEAR {year} THE ARMY OF 12 000 MEN CAME",
    "Steuerbescheid vom {date}: {price}",
    "rgb(255, 128, 0), #ff8000, rgba(1,2,3,0.5)",
)


def negative(rng: Random) -> str:
    """One text without private data."""
    template = rng.choice(TEMPLATES)
    parts = []
    for literal, name, _, _ in string.Formatter().parse(template):
        parts += [literal, FILL[name](rng) if name else ""]
    return "".join(parts)
