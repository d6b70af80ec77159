"""Every code of this part with its plain meaning; `private_KIND` flags a row in which such a thing was found."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "key": "an access key or token of a service, or a private key",
    "password": "a password",
    "iban": "an international bank account number",
    "card": "a payment card number",
    "national_id": "a number that a state gives to a person",
    "email": "an e-mail address",
    "ip": "a public internet address",
    "phone": "a telephone number",
    "name": "the name of a person",
}
REASONS: Mapping[str, str] = {
    **{f"private_{kind}": f"the row holds {meaning}" for kind, meaning in MEANINGS.items()},
    "private_data": "the row holds private data",
    "private_data_masked": "private data was replaced by placeholders, which cannot be taken back",
}
