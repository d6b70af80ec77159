from __future__ import annotations

import pytest

from burnish.data.cleaning.language import guess, languages, probability_of

TEXTS = {
    "en": "The train to the coast leaves at nine and arrives before noon.",
    "de": "Der Zug an die Küste fährt um neun und kommt vor Mittag an.",
    "fr": "Le train pour la côte part à neuf heures et arrive avant midi.",
    "es": "El tren a la costa sale a las nueve y llega antes del mediodía.",
    "ru": "Поезд к морю отправляется в девять и прибывает до полудня.",
    "zh": "开往海边的火车九点出发，中午之前到达。",
    "ja": "海岸行きの電車は九時に出発し、正午前に到着します。",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_a_sentence_is_known_by_its_language(code: str, text: str) -> None:
    language, probability = guess(text)
    assert languages()[language] == code
    assert probability > 0.4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "card_arrival",
        "42 + 17 = 59",
        "SELECT",
        "https://example.org/ein/langer/deutscher/pfad",
        "```\nint main()\n```",
    ],
)
def test_labels_numbers_links_and_code_are_not_judged(text: str) -> None:
    assert guess(text) == (0, 0.0)


def test_a_german_sentence_is_hardly_english() -> None:
    assert probability_of(languages().index("en"), TEXTS["de"]) < 0.01
    assert probability_of(languages().index("de"), TEXTS["de"]) > 0.5
