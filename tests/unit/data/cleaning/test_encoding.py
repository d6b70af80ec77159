from __future__ import annotations

from pathlib import Path

import pytest

from burnish.data.cleaning.encoding import mended
from tests.planted import sets

SOUND = (
    "It’s “fine” – really… naïve café, 20 € or £5, ½ of it",
    "SÃO PAULO e a ação: não é à toa; Ângela, Îles, Ðorđe",
    "Größe: 5 × 3 cm² ± 1 µm, § 5 «ja» ‚nein‘ †",
    "Привет, мир! Ёлки — это деревья",
    "ΓΕΙΑ ΣΟΥ, Γιάννης και Άννα",
    "こんにちは世界。ありがとう！",
    "مرحبا بالعالم، كيف حالك؟",
    "👩‍🚀 👍🏽 🇩🇪 ❤️",
    "├── src\n│   └── main.py\n└── √2 ≈ 1.414",
    "Tiếng Việt rất đẹp, Łódź, žluťoučký kůň",
)


@pytest.mark.parametrize("text", SOUND)
def test_what_is_right_stays(text: str) -> None:
    assert mended(text) == text


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "cp437"])
@pytest.mark.parametrize(
    "text", ["Das schöne Café kostet 20 €", "It’s a “quote” – no more", "¿Dónde está el niño? ¡Mañana!"]
)
def test_text_read_in_a_wrong_encoding_comes_back_exactly(text: str, encoding: str) -> None:
    try:
        damaged = text.encode().decode(encoding)
    except UnicodeDecodeError:  # cp1252 has no character for the third byte of ”
        damaged = text.encode().decode("latin-1")
    assert damaged != text
    assert mended(damaged) == text


def test_damage_done_twice_comes_back() -> None:
    assert mended("café à Noël".encode().decode("cp1252").encode().decode("cp1252")) == "café à Noël"


def test_windows_quotes_read_as_latin_1_come_back() -> None:
    assert mended("It\x92s \x93good\x94") == "It’s “good”"


def test_a_sound_line_does_not_hide_a_damaged_one() -> None:
    assert mended("👍 fine\ncafÃ©") == "👍 fine\ncafé"


def test_no_text_of_the_real_sets_is_changed(data_folder: Path) -> None:
    texts = [sentence for language in sets.foreign_sentences(data_folder) for sentence in language]
    texts += [(data_folder / "wikitext2" / "test.txt").read_text("utf-8")]
    for row in (*sets.banking77(data_folder), *sets.dolly(data_folder)):
        texts += list(sets.as_raw(row).values())
    assert [text for text in texts if mended(text) != text] == []
