from __future__ import annotations

import pytest

from burnish.data.cleaning.boilerplate import refusal, self_description

OF_ITSELF = (
    "As an AI language model, I do not have feelings.",
    "It depends, but as an AI, I cannot say.",
    "I'm just an AI assistant, so take this with care.",
    "As of my last update in 2021, it was so.",
    "I don’t have personal opinions on this.",
    "Als KI-Sprachmodell kann ich das nicht beurteilen.",
    "En tant qu'IA, je ne peux pas avoir d'avis.",
    "Como modelo de lenguaje, no tengo opiniones.",
    "Como uma inteligência artificial, não sinto nada.",
    "In quanto modello linguistico, non ho opinioni.",
    "作为一个人工智能语言模型，我没有情感。",
    "AIとして、個人的な意見はありません。",
)
DECLINES = (
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, I cannot help with that request.",
    "Sorry, I am unable to provide instructions for this.",
    "I cannot fulfill this request.",
    "I must decline to answer.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Désolé, je ne peux pas vous aider.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Desculpe, mas não posso ajudar com isso.",
    "Mi dispiace, ma non posso aiutarti.",
    "К сожалению, я не могу помочь с этим.",
    "很抱歉，我无法为您提供帮助。",
    "申し訳ありませんが、その件についてはお手伝いできません。",
)
SOUND = (
    "I'm sorry, but I can't find your order. Could you send me its number?",
    "Unfortunately the shop is closed on Sundays.",
    "I can't do any business with this card.",
    "As an AI engineer you train models.",
    "I am an AI researcher from Berlin.",
    "The model was trained on language.",
    "Es tut mir leid, dass Ihr Paket zu spät kommt. Es ist morgen da.",
    "Désolé pour le retard, votre colis arrive demain.",
    "I cannot help you until you send the form.",
    "I can't help smiling when I think of it.",
    "I cannot support two children on my salary.",
    "He said that the maid waited in the rain.",
)


@pytest.mark.parametrize("answer", OF_ITSELF)
def test_an_answer_that_speaks_of_itself_is_seen(answer: str) -> None:
    assert self_description(answer)


@pytest.mark.parametrize("answer", DECLINES)
def test_an_answer_that_declines_is_seen(answer: str) -> None:
    assert refusal(answer)


@pytest.mark.parametrize("answer", SOUND)
def test_a_sound_answer_is_neither(answer: str) -> None:
    assert not self_description(answer)
    assert not refusal(answer)
