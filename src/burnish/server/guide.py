"""Answers that must be JSON, or JSON of a schema, or the call of a tool: which tokens may come next (llguidance)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor

from burnish.render.renderer import Renderer
from burnish.server.api_error import ApiError

ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
LONGEST_SCHEMA = 64_000  # characters
SPACE = r"[ \n\r\t]{0,32}"  # between values: a weak model given all the freedom of JSON may write spaces for ever


class Grammars:
    """What a model's tokens are made of. Made when it is first asked for: that takes a third of a second."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    @cached_property
    def _tokens(self) -> LLTokenizer:
        return from_tokenizer(self._renderer.tokenizer, eos_token=sorted(self._renderer.stop_ids))

    def bytes_of(self, token: int) -> bytes:
        """What a token stands for: perhaps a part of a character."""
        return bytes(self._tokens.decode_bytes([token])) if 0 <= token < self._tokens.vocab_size else b""

    def for_schema(
        self, schema: Mapping[str, Any], *, param: str, before: str = "", after: str = "", space: str = SPACE
    ) -> str:
        """A grammar of JSON that this schema describes, between two texts. Raises ApiError: there is no such JSON."""
        text = json.dumps(schema)
        if len(text) > LONGEST_SCHEMA:
            raise ApiError(400, f"The schema is longer than {LONGEST_SCHEMA} characters.", param=param)
        text = json.dumps({**schema, "x-guidance": {"whitespace_pattern": space}})
        parts = [json.dumps(before)] * bool(before) + [f"%json {text}"] + [json.dumps(after)] * bool(after)
        grammar = str(LLMatcher.grammar_from_lark("start: " + " ".join(parts)))
        failed, said = LLMatcher.validate_grammar_with_warnings(grammar, self._tokens)
        if failed:
            raise ApiError(400, f"Invalid schema: {said[0][:300]}", param=param, code="invalid_json_schema")
        return grammar

    def guide(self, grammar: str) -> Guide:
        """A guide of its own for each answer."""
        return Guide(LLMatcher(self._tokens, grammar, log_level=0), self._renderer.stop_ids, self._tokens.vocab_size)


class Guide:
    """Follows one answer: what may come next, and what came. A grammar that grows beyond its limits ends the answer, so
    that the others of the pass go on; `failed` then says so."""

    def __init__(self, matcher: LLMatcher, stop_ids: Collection[int], vocab: int) -> None:
        self._matcher, self._stop_ids, self._vocab = matcher, sorted(stop_ids), vocab
        self.failed = False

    def allowed(self) -> Tensor:
        """(V,) True for the tokens that may come next."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self.failed = self._matcher.is_error()
        if not self.failed:
            return torch.from_numpy(np.unpackbits(bits, bitorder="little")).bool()
        allowed_V = torch.zeros(self._vocab, dtype=torch.bool)
        allowed_V[self._stop_ids] = True
        return allowed_V

    def take(self, token: int) -> None:
        """The token that was chosen."""
        self._matcher.consume_token(token)
