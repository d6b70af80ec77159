"""What a careful person would tell the base model, written from train: the labels, keys, length, language of answers.

Used where the recipe gives no `data.instructions`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from burnish.core.records import Chat
from burnish.graders.json_answer import first_object, first_value

MOST_VALUES = 24  # a field with more distinct strings is open
ROWS_PER_VALUE = 3  # and so is one whose values hardly repeat
SHORT_WORDS = 3  # longer strings are phrases, whose usual length helps

_FUNCTION_WORDS = {
    "English": "the and of to is in that it you for with was on are this",
    "German": "der die das und ist nicht ein eine ich zu mit den auf für sie",
    "French": "le la les et est des un une pas que vous dans pour je ne",
    "Spanish": "el los las es en que un una por con para no del se lo",
    "Italian": "il che di non una per sono gli la un è con del si le",
    "Portuguese": "o os as e é não um uma que para com em do da se",
    "Dutch": "de het een en van is niet dat ik op te zijn met voor je",
}


def written_instructions(train: Sequence[Chat], kind: str, *, most_characters: int) -> str:
    """Instructions for a task with answers of this kind (label, json, entities, number or text).

    A list of labels longer than `most_characters` is left out: it would crowd out the examples.
    """
    answers = [row.answer.strip() for row in train]
    if kind == "label":
        return _for_labels(answers, most_characters)
    if kind == "json":
        return _for_json(answers)
    if kind == "entities":
        return _for_entities(answers)
    if kind == "number":
        return _for_numbers(answers)
    return _for_text(answers, [message.content for row in train for message in row.prompt if message.role == "user"])


def _for_labels(answers: Sequence[str], most_characters: int) -> str:
    names = ", ".join(sorted(set(answers)))
    if len(names) > most_characters:
        return "Answer with the right label and nothing else."
    return f"Answer with exactly one of these labels and nothing else: {names}."


def _for_numbers(answers: Sequence[str]) -> str:
    if sum("####" in answer for answer in answers) > len(answers) / 2:
        return 'Work it out step by step. End with a line of "#### " and the result as a number.'
    if median(len(answer.split()) for answer in answers) > SHORT_WORDS:
        return "Work it out step by step and end with the result as a number."
    return "Answer with the number and nothing else."


def _for_text(answers: Sequence[str], prompts: Sequence[str]) -> str:
    language = language_of(answers)
    foreign = language is not None and (language != "English" or language != language_of(prompts))
    return f"Answer in {_length(answers)}{f', in {language}' if foreign else ''}."


def _length(texts: Sequence[str]) -> str:
    """ "about 9 words", or a range that holds four of five texts."""
    counts = sorted(len(text.split()) for text in texts)
    low, high = counts[len(counts) // 10], counts[(9 * len(counts)) // 10]
    middle = round(median(counts))
    if high <= 1.5 * max(low, 1) or high - low <= 2:
        return f"about {middle} word{'' if middle == 1 else 's'}"
    return f"{max(low, 1)} to {high} words"


def language_of(texts: Iterable[str]) -> str | None:
    """The language whose commonest words are a tenth of all words and half more than any other's; None in doubt."""
    words = Counter(word for text in texts for word in text.lower().split())
    hits = {name: sum(words[word] for word in listed.split()) for name, listed in _FUNCTION_WORDS.items()}
    best, second = sorted(hits, key=lambda name: -hits[name])[:2]
    return best if hits[best] >= 0.1 * max(words.total(), 1) and hits[best] >= 1.5 * hits[second] else None


def _for_json(answers: Sequence[str]) -> str:
    objects = [found for found in map(first_object, answers) if found is not None]
    lines = ["Answer with one JSON object and nothing else. Its keys, in this order:"]
    return "\n".join(lines + [f"- {line}" for line in _keys(objects, "")])


def _for_entities(answers: Sequence[str]) -> str:
    types = Counter(name for answer in answers for name in _types_in(first_value(answer)))
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name, _ in types.most_common(MOST_VALUES))
    as_list = sum(answer.startswith("[") for answer in answers) > len(answers) / 2
    form = (
        'a JSON list of objects {"text": …, "type": …}, in the order of the text, [] where there is none. The types:'
        if as_list
        else "a JSON object that gives, for each type that occurs, a list of the words in the text. The types:"
    )
    return f"Find the entities in the text. Answer with nothing but {form} {names}."


def _types_in(value: Any) -> Iterable[str]:
    """The names of types as they are written."""
    if isinstance(value, dict):
        return value.keys()
    return (str(inner["type"]) for inner in value or () if isinstance(inner, dict) and "type" in inner)


def _keys(objects: Sequence[dict[str, Any]], above: str) -> list[str]:
    """A line a key, in the order in which the answers hold them; keys of objects within objects are dotted."""
    lines = []
    for key in dict.fromkeys(key for value in objects for key in value):
        values = [value[key] for value in objects if key in value]
        name = f"{above}.{key}" if above else key
        rare = " (only where it applies)" if len(values) < 0.95 * len(objects) else ""
        inner = [value for value in values if isinstance(value, dict)]
        lines.append(f"{json.dumps(name, ensure_ascii=False)}: {_values(values)}{rare}")
        if inner:
            lines += _keys(inner, name)
    return lines


def _values(values: Sequence[Any]) -> str:
    """What stands under one key: a closed list of strings where they repeat, else the types."""
    strings = [value for value in values if isinstance(value, str)]
    kinds = {
        "true or false": [value for value in values if isinstance(value, bool)],
        "a number": [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)],
        "an object": [value for value in values if isinstance(value, dict)],
    }
    lists = [value for value in values if isinstance(value, list)]
    parts = [_strings(strings)] + [name for name, found in kinds.items() if found]
    if lists:
        parts.append(f"a list of ({_values([inner for value in lists for inner in value])})")
    if any(value is None for value in values):
        parts.append("null")
    return " or ".join(part for part in parts if part) or "an empty value"


def _strings(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    distinct = sorted(set(texts))
    if len(distinct) <= MOST_VALUES and len(texts) >= ROWS_PER_VALUE * len(distinct):
        listed = ", ".join(json.dumps(text, ensure_ascii=False) for text in distinct)
        return f"one of {listed}" if len(distinct) > 1 else listed
    return f"a string of {_length(texts)}" if median(len(text.split()) for text in texts) > SHORT_WORDS else "a string"
