from __future__ import annotations

import json

from burnish.data.private.find import find
from burnish.data.private.mask import Placeholders, masked
from burnish.data.private.settings import PrivateSettings


def mask(text: str, placeholders: Placeholders, *, json_text: bool = False) -> str:
    return masked(text, find(text, PrivateSettings()), placeholders, json_text=json_text)


def test_the_same_value_has_the_same_placeholder_in_every_text_of_a_row() -> None:
    placeholders = Placeholders()
    assert mask("anna@web.de or tom@web.de?", placeholders) == "[EMAIL_1] or [EMAIL_2]?"
    assert mask("TOM@web.de; call +49 171 2345678 or +49171-2345678", placeholders) == (
        "[EMAIL_2]; call [PHONE_1] or [PHONE_1]"
    )


def test_a_masked_text_holds_nothing_more_to_mask() -> None:
    placeholders = Placeholders()
    once = mask("anna@web.de, 4111 1111 1111 1111, Passwort: Sommer2024", placeholders)
    assert find(once, PrivateSettings()) == []


def test_json_stays_json_where_a_bare_number_is_masked() -> None:
    text = '{"to": "say \\"hi\\" to anna@web.de", "card": 4111111111111111}'
    assert json.loads(mask(text, Placeholders(), json_text=True)) == {"to": 'say "hi" to [EMAIL_1]', "card": "[CARD_1]"}
