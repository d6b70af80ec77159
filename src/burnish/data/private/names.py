"""Names of persons by a model that the user names: a transformers folder for token classification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from burnish.core.errors import ModelError
from burnish.data.private.find import NameFinder
from burnish.data.private.finding import Finding

PERSON_LABELS = frozenset({"PER", "PERSON", "NAME"})
WINDOW = 400  # characters looked at together: well inside 512 tokens in most scripts
OVERLAP = 60


def name_finder(folder: Path) -> NameFinder:
    """A function that finds persons in a text. Loads the model once, from the folder alone.

    Raises ModelError: the folder holds no such model, or none of its labels is a person.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForTokenClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()
    except (OSError, ValueError) as error:
        raise ModelError(
            "The model for names cannot be loaded.",
            where=str(folder),
            seen=str(error).splitlines()[0][:200],
            next_move="name a folder with a transformers model for token classification and its tokenizer",
        ) from error
    labels = {number: label.rpartition("-")[2].upper() for number, label in model.config.id2label.items()}
    if PERSON_LABELS.isdisjoint(labels.values()):
        raise ModelError(
            "The model for names does not mark persons.",
            where=str(folder),
            seen=", ".join(sorted(set(labels.values()))[:20]),
            next_move="name a model with a label PER or PERSON",
        )

    def names_in(text: str) -> list[Finding]:
        found: list[Finding] = []
        for begin in range(0, max(1, len(text) - OVERLAP), WINDOW - OVERLAP):
            encoded = tokenizer(
                text[begin : begin + WINDOW], return_offsets_mapping=True, return_tensors="pt", truncation=True
            )
            offsets = encoded.pop("offset_mapping")[0].tolist()
            with torch.inference_mode():
                marks = model(**encoded).logits[0].argmax(-1).tolist()
            persons = [labels[mark] in PERSON_LABELS for mark in marks]
            found += [
                Finding("name", begin + start, begin + end) for start, end in _joined(persons, offsets, text[begin:])
            ]
        return _merged(found)

    return names_in


def _joined(persons: list[bool], offsets: list[list[int]], text: str) -> Iterator[tuple[int, int]]:
    """Spans of neighbouring tokens that are persons, grown to whole words."""
    span: tuple[int, int] | None = None
    for person, (start, end) in zip(persons, offsets, strict=True):
        if not person or start == end:
            continue
        if span and not text[span[1] : start].strip():
            span = (span[0], end)
            continue
        if span:
            yield _whole_words(span, text)
        span = (start, end)
    if span:
        yield _whole_words(span, text)


def _whole_words(span: tuple[int, int], text: str) -> tuple[int, int]:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while start and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return start, end


def _merged(found: list[Finding]) -> list[Finding]:
    """Spans that two windows share, once."""
    merged: list[Finding] = []
    for one in sorted(found, key=lambda finding: (finding.start, finding.end)):
        if merged and one.start < merged[-1].end:
            merged[-1] = Finding("name", merged[-1].start, max(one.end, merged[-1].end))
        else:
            merged.append(one)
    return merged
