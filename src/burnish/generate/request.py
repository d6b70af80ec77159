"""What is asked of the engine and what it answers.

Names: V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Alternatives = tuple[tuple[int, float], ...]  # (token, log-probability in nats), the most probable first


class Guide(Protocol):
    """Says what may come next, for answers of a given form. One guide serves one request."""

    def allowed(self) -> Tensor | None:
        """(V,) true where a token may come next; None: any."""
        ...

    def take(self, token: int) -> None:
        """This one came."""
        ...


@dataclass(frozen=True)
class Request:
    """A prompt to continue. temperature 0 takes the most probable token; else the draw depends on seed and position.

    top_p: draw from the most probable tokens that hold this much probability together (arXiv 1904.09751)
    presence_penalty, frequency_penalty: taken off the logit of a token that the answer holds, once and for each time
    bias: (token, what is added to its logit)
    top: how many alternatives are reported with each token
    adapter: key in the decoder's bank; "" is the base
    """

    prompt: tuple[int, ...]
    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()
    top: int = 0
    adapter: str = ""
    guide: Guide | None = None


@dataclass(frozen=True)
class Completion:
    """What was generated. logprobs: of each of `tokens`, in nats, by the model at temperature 1."""

    tokens: tuple[int, ...]  # without the stop token
    logprobs: tuple[float, ...]
    stopped: bool  # ended by a stop token, not by length


@dataclass(frozen=True)
class Event:
    """One more token of a request. The stop token is an event too, and no part of the answer."""

    request: int
    token: int
    logprob: float
    top: Alternatives
    stopped: bool
    finished: bool


def trouble(request: Request, context: int, vocab: int) -> tuple[str, str, str] | None:
    """What is wrong with a request, the value seen and the next move; None: nothing."""
    if not request.prompt:
        return "has an empty prompt", "0 tokens", "give at least one token, such as the start token"
    if unknown := [token for token in request.prompt if not 0 <= token < vocab]:
        return "holds a token unknown to the model", str(unknown[0]), f"use its own tokenizer: it has {vocab} tokens"
    if request.max_new_tokens < 0 or not 0 <= request.temperature < math.inf:
        seen = f"max_new_tokens {request.max_new_tokens}, temperature {request.temperature}"
        return "asks for something impossible", seen, "use max_new_tokens and a temperature of at least 0"
    if not 0 < request.top_p <= 1:
        return "asks for something impossible", f"top_p {request.top_p}", "use a top_p above 0 and at most 1"
    numbers = (request.presence_penalty, request.frequency_penalty, *(value for _, value in request.bias))
    if not all(math.isfinite(number) for number in numbers):
        return "asks for something impossible", "a penalty or bias that is no finite number", "use finite ones"
    if unknown := [token for token, _ in request.bias if not 0 <= token < vocab]:
        return "is biased to a token unknown to the model", str(unknown[0]), f"it has {vocab} tokens"
    length = len(request.prompt) + request.max_new_tokens
    if length > context:
        seen = f"{len(request.prompt)} prompt + {request.max_new_tokens} new = {length} of {context} tokens"
        return "is longer than the model's context", seen, "shorten the prompt or ask for fewer new tokens"
    return None
