"""Tokenizers that are broken, endless, or make the parser underneath panic."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from burnish.core.records import Message
from burnish.model.folder import folder_tokenizer
from burnish.render.renderer import make_renderer
from tests.bad_inputs.case import Case, Made, Refused, Survived
from tests.bad_inputs.weights import model_copy

FILE, CONFIG = "tokenizer.json", "tokenizer_config.json"
Change = Callable[[dict[str, Any]], object]


def regex(pattern: str) -> Change:
    """A pre-tokenizer that cuts by this pattern."""
    rule = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return lambda tokenizer: tokenizer.update(pre_tokenizer=rule)


def replaced(pattern: str, content: str) -> Change:
    rule = {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
    return lambda tokenizer: tokenizer.update(normalizer=rule)


def deep(tokenizer: dict[str, Any]) -> None:
    rule: dict[str, Any] = {"type": "Sequence", "normalizers": []}
    for _ in range(200):
        rule = {"type": "Sequence", "normalizers": [rule]}
    tokenizer["normalizer"] = rule


def growing(tokenizer: dict[str, Any]) -> None:
    """16 letters for each, and that six times over: 16 million for one."""
    rule = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 16}
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [rule] * 6}


def no_bytes(tokenizer: dict[str, Any]) -> None:
    tokenizer["model"].update(vocab={"<|endoftext|>": 0}, merges=[])


def odd_merges(tokenizer: dict[str, Any]) -> None:
    tokenizer["model"]["merges"] = [["nothing", "such"]]


def wild_ids(tokenizer: dict[str, Any]) -> None:
    tokenizer["model"]["vocab"]["a"] = 4_000_000_000


def special_text(tokenizer: dict[str, Any]) -> None:
    """A special token whose text is a letter of ordinary words."""
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": 400, "content": ""})


TREES: Mapping[str, tuple[Change, bool]] = {
    "a pattern that tries everything": (regex("(a+)+$"), False),
    "a pattern that is none": (regex("(["), True),
    "a pattern of a thousand million repeats": (regex("(a{1000}){1000}{1000}"), False),
    "a normaliser of 200 levels": (deep, False),
    "a normaliser that makes 16 million letters of one": (growing, True),
    "a normaliser that matches nothing, everywhere": (replaced("", "x"), False),
    "merges of pieces that are not there": (odd_merges, True),
    "an id of four thousand million": (wild_ids, False),
    "no model": (lambda tokenizer: tokenizer.pop("model"), True),
    "a model that does not exist": (lambda tokenizer: tokenizer["model"].update(type="Nothing"), True),
    "a special token without text": (special_text, False),
}


def changed(change: Change, refused: bool, folder: Path, rng: Random) -> Made:
    model = model_copy(folder)
    tree = json.loads((model / FILE).read_text("utf-8"))
    change(tree)
    (model / FILE).write_text(json.dumps(tree), "utf-8")
    return Made("", Refused(["tokenizer"], 2) if refused else Survived(), call=partial(tokenise, model))


TEXTS: Mapping[str, tuple[str, bytes]] = {
    "tokenizer.json nested 100,000 deep": (FILE, b"[" * 100_000),
    "tokenizer.json of bytes that are no text": (FILE, bytes(range(256)) * 16),
    "tokenizer_config.json that is a list": (CONFIG, b"[]"),
    "a length of 10^30": (
        CONFIG,
        b'{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1e30, "eos_token": 7}',
    ),
}


def rewritten(name: str, content: bytes, folder: Path, rng: Random) -> Made:
    model = model_copy(folder)
    (model / name).write_bytes(content)
    expected = Refused([], 2) if name == FILE or content == b"[]" else Survived()
    return Made("", expected, call=partial(tokenise, model))


def tokenise(model: Path) -> None:
    """What a command does with a tokenizer."""
    renderer = make_renderer(folder_tokenizer(model))
    renderer.prompt([Message("user", "a" * 30 + "!")])


CASES = (
    *(Case(f"a tokenizer with {what}", partial(changed, *case)) for what, case in TREES.items()),
    *(Case(f"a tokenizer with {what}", partial(rewritten, *case)) for what, case in TEXTS.items()),
)
