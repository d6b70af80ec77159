"""An OpenAI-compatible server as the one who answers: the user's own, or one on the network that the user named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from burnish.core.asking import Answer, Ask, Asked, Model
from burnish.core.errors import DataError
from burnish.core.http_json import Response, Server, call, shown

UNFIT = frozenset((400, 413, 422))  # this request will never be taken, others may


def key_from(variable: str | None, *, where: str) -> str:
    """The server's key, from the environment variable of that name; empty where none is named.

    Raises DataError: the variable is not set, or holds what cannot be a key. `where` is the key of the recipe.
    """
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise DataError(
            f"The environment variable {variable} {'holds no key' if key else 'is not set'}.",
            where=where,
            next_move=f"export {variable}=… before you run the same command again",
        )
    return key


def openai_asker(server: Server, model: Model, *, concurrent: int = 4) -> Ask:
    """Asks through /chat/completions, so many requests at a time. Raises DataError as `call` does, and where the server
    refuses the key, knows no such model, or answers in another form."""

    def one_answer(asked: Asked) -> Answer:
        body = {
            "model": model.name,
            "messages": [message.to_json() for message in asked.messages],
            "max_tokens": asked.max_new_tokens,
            "temperature": asked.temperature,
            "seed": asked.seed,
        }
        response = call(server, "chat/completions", body)
        if response.status in UNFIT:
            return Answer("", refused=f"HTTP {response.status}: {response.text}")
        if response.status >= 400:
            raise _failed(server, response)
        return _answer(server, response)

    def ask(asked: Sequence[Asked]) -> Iterator[Answer]:
        with ThreadPoolExecutor(concurrent) as pool:
            yield from pool.map(one_answer, asked)

    return ask


def _answer(server: Server, response: Response) -> Answer:
    match response.value:
        case {"choices": [{"message": {"content": str() | None as content}} as choice, *_]}:
            # Half of a character, which JSON can hold and a file cannot, becomes the mark of a lost one.
            text = (content or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return Answer(text, whole=choice.get("finish_reason") != "length")
    raise DataError(
        "The server does not answer in the form of OpenAI's chat completions.",
        where=server.address,
        seen=shown(server, str(response.value)[:1000]),
        next_move="check the address and the server: `choices[0].message.content` is what is read",
    )


def _failed(server: Server, response: Response) -> DataError:
    """The error behind a status that no other request would change."""
    next_move = {
        401: f"put a valid key into an environment variable and name that in `{server.keys.key}`",
        403: f"put a valid key into an environment variable and name that in `{server.keys.key}`",
        404: f"check the address, which mostly ends in /v1, and the model's name in `{server.keys.model}`",
    }.get(response.status, "see what the server says, then run the same command again")
    return DataError(
        "The server refuses to answer.",
        where=server.address,
        seen=f"HTTP {response.status}: {response.text}",
        next_move=next_move,
    )
