"""Answers in which a chatbot speaks of itself, and answers that decline. Precise rather than broad.

"I'm sorry, but I can't find your order" is a good answer of a help desk: a refusal must decline to help as such.
"""

from __future__ import annotations

import re

LOOKED_AT = 300  # characters: both stand at the beginning

_MODEL = r"(?:ai|a\.i\.|artificial intelligence|large language model|language model|llm)"
SELF = re.compile(
    r"\bas an? (?:\w+ )?"
    + _MODEL
    + r"\b(?! (?:engineer|researcher|company|startup|expert|consultant|student|developer))"
    r"|\bi(?:'m| am) (?:just |only |merely |simply )?an? (?:\w+ )?"
    + _MODEL
    + r"\b(?! (?:engineer|researcher|developer))"
    r"|\bmy (?:knowledge cut-?off|training data|last (?:knowledge )?update)\b"
    r"|\bas of my (?:last|most recent|knowledge) \w+"
    r"|\bi (?:do not|don't) have (?:personal|real-time|access to real-time) (?:opinion|belief|feeling|emotion|"
    r"experience|preference|data|information)"
    r"|\bals (?:ki|künstliche intelligenz)(?:[- ]\w+)?\b,? (?:kann|habe|bin|besitze|verfüge|darf|ist es mir)"
    r"|\bals (?:ein )?(?:ki|sprach|ki-sprach)-?(?:assistent|modell)\b"
    r"|\ben tant qu(?:'|e )(?:une? )?(?:ia|intelligence artificielle|modèle de langage|assistant virtuel)\b"
    r"|\bcomo (?:(?:un|una|um|uma) )?(?:(?:modelo|asistente|assistente) de )?(?:ia|inteligencia artificial|"
    r"inteligência artificial|lenguaje|linguagem)\b"
    r"|\bin quanto (?:ia|intelligenza artificiale|modello linguistico|assistente virtuale)\b"
    r"|\bals (?:een )?(?:ai|ai-taalmodel|taalmodel|kunstmatige intelligentie)\b,? (?:kan|heb|ben)"
    r"|как (?:ии|искусственный интеллект|языковая модель)"
    r"|作为(?:一个|一名)?(?:ai|人工智能|语言模型|大型?语言模型)"
    r"|(?:ai|人工知能|言語モデル)(?:として|ですので|なので)"
)
# One of these stands in everything that SELF finds: most answers need no closer look.
HINTS = (
    *(" ai", " ki", " ia", "a.i", "llm", "language model", "intelligen", "cutoff", "cut-off", "my training", "my last"),
    *("as of my", "i do not have", "i don't have", "tant qu", "artificial", "künstliche", "modell", "modèle"),
    *(
        "modelo",
        "virtuale",
        "linguag",
        "lenguaje",
        "taalmodel",
        "kunstmatige",
        " ии",
        "искусств",
        "языковая",
        "作为",
        "として",
        "ので",
    ),
)
_CANNOT = r"(?:can't|cannot|can not|won't|will not|am unable to|am not able to|'m unable to|'m not able to)"
_SORRY = (
    r"(?:i(?:'m| am) (?:\w+ )?(?:sorry|afraid)|sorry|my apologies|i apologi[sz]e|unfortunately)[,.;:!]? (?:but |that )?"
)
_HELP = (
    r"(?:assist|help(?! (?:but|it|\w+ing)\b)|comply|fulfil+|"
    r"(?:answer|discuss|engage|participate|support) (?:in |with )?(?:that|this|these|those|your|such|any)|"
    r"(?:provide|give|offer) (?:\w+ )?(?:assistance|help|information|instructions|guidance|advice)|"
    r"do (?:that|this)|(?:create|generate|write|produce|share) (?:that|this|such|any|content|material))"
)
REFUSAL = re.compile(
    r"\s*(?:"
    rf"(?:{_SORRY})?i ?{_CANNOT} {_HELP}\b(?! you (?:find|locate|until|without|unless))"
    rf"|{_SORRY}i ?{_CANNOT} (?:do (?:that|this)|fulfil+|comply|continue with)"
    r"|i (?:must|have to|need to) (?:respectfully )?decline\b"
    r"|i(?:'d| would) rather not (?:answer|discuss|help|say)"
    r"|(?:es )?tut mir (?:sehr )?leid,? (?:aber )?(?:ich kann|dabei kann ich|da kann ich|ich darf)[^.]{0,40}"
    r"(?:nicht (?:helfen|weiterhelfen|unterstützen|beantworten|nachkommen|erfüllen)|keine (?:hilfe|auskunft|anleitung))"
    r"|(?:je suis )?désolée?,? (?:mais )?je ne (?:peux|puis) pas (?:vous |t')?"
    r"(?:aider|répondre|fournir|satisfaire|accéder)"
    r"|lo siento,? (?:pero )?no puedo (?:ayudar|asistir|proporcionar|responder|cumplir)"
    r"|(?:desculpe|sinto muito|lamento),? (?:mas )?(?:eu )?não posso (?:ajudar|responder|fornecer|atender)"
    r"|mi dispiace,? (?:ma )?non posso (?:aiutar|assister|fornir|risponder|soddisfar)"
    r"|(?:het )?spijt me,? (?:maar )?(?:ik kan|daar kan ik)[^.]{0,30}niet (?:helpen|beantwoorden)"
    r"|(?:извините|простите|к сожалению),? (?:но )?я не могу (?:помочь|ответить|предоставить|выполнить)"
    r"|(?:很?抱歉|对不起)[,，。]?\s*(?:但)?我(?:无法|不能)(?:为您|帮助|提供|协助|回答|满足)"
    r"|(?:申し訳(?:ありません|ございません)|すみません)[^。]{0,25}(?:お手伝い|お答え|提供)(?:することは)?(?:は)?でき(?:ません|かねます)"
    r")"
)


def self_description(answer: str) -> str:
    """The words in which the answer speaks of itself as an AI or of its training; empty where it does not."""
    text = f" {_plain(answer)}"
    found = SELF.search(text) if any(hint in text for hint in HINTS) else None
    return found[0] if found else ""


def refusal(answer: str) -> str:
    """The words with which the answer begins to decline; empty where it does not."""
    found = REFUSAL.match(_plain(answer))
    return found[0].strip() if found else ""


def _plain(answer: str) -> str:
    return answer[:LOOKED_AT].lower().replace("’", "'")
