"""Words with a tag each → the entities they form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from burnish.data.layout.fields import named
from burnish.data.layout.reasons import Unusable


def entities(tokens: Any, tags: Any, labels: Sequence[str] = ()) -> str:
    """The entities as a JSON list of {"text", "type"}, in their order.

    A tag is O for none, or B- or I- before a type: B- begins an entity, I- goes on with one of the same type and
    begins one elsewhere (Ramshaw and Marcus 1995). A tag without such a mark is a type itself.
    """
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
        raise Unusable("missing_field", "entities() wants as many tags as words")
    found: list[dict[str, str]] = []
    before = ""  # the type of the word before
    for token, tag in zip(tokens, tags, strict=True):
        name = str(named(tag, labels) if isinstance(tag, int) else tag)
        mark, _, kind = name.partition("-") if name[:2] in ("B-", "I-") else ("I", "", "" if name == "O" else name)
        if kind and kind == before and mark == "I":
            found[-1]["text"] += f" {token}"
        elif kind:
            found.append({"text": str(token), "type": kind})
        before = kind
    return json.dumps(found, ensure_ascii=False)
