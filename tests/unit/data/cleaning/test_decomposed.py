from __future__ import annotations

import time
import unicodedata

import pytest

from burnish.data.cleaning.decomposed import composed


@pytest.mark.parametrize("text", ["Müller, café, Łódź, ñandú", "Йод и ёж", "Ελλάδα ή", "がぎぐ パピプ", "한국어"])
def test_text_taken_apart_comes_back(text: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    assert composed(apart) == text


@pytest.mark.parametrize("text", ["5 \u212b and 3 \u2126", "\u0958 \u0915\u093c", "\uf900", "q\u0303", "ﬁ ½ ²"])
def test_signs_of_their_own_looks_stay(text: str) -> None:
    """NFC would turn the Angstrom sign into Å and take U+0958 apart."""
    assert composed(text) == text


def test_a_letter_with_a_hundred_thousand_accents_takes_no_time() -> None:
    """To sort the accents of one letter takes the square of their number: a minute for one row."""
    started = time.process_time()
    assert composed("e\u0301" + "\u0316\u0301" * 50_000).startswith("é")
    assert time.process_time() - started < 1
