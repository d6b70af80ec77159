"""An OpenAI-compatible server as the one who answers: the user's own, or one on the network that the user named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from burnish.core.errors import DataError
from burnish.data.grow.asking import Answer, Ask, Asked, Model, Writer
from burnish.data.grow.http_json import Response, Server, call, shown
from burnish.data.grow.settings import GrowSettings

UNFIT = frozenset((400, 413, 422))  # this request will never be taken, others may


def served_writer(settings: GrowSettings) -> Writer:
    """The model at the address that the settings name. Nothing is sent yet.

    Raises DataError: the environment variable of the key is not set, or holds what cannot be a key.
    """
    server = server_of(settings)
    model = Model(settings.served or "", address=server.address)
    return Writer(model, openai_asker(server, model, concurrent=settings.concurrent))


def server_of(settings: GrowSettings) -> Server:
    """The server that the settings name, with its key from the environment.

    Raises DataError: the variable is not set, or holds what cannot be a key.
    """
    assert settings.address is not None
    key = ""
    if settings.key_env is not None:
        key = os.environ.get(settings.key_env, "").strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise DataError(
                f"The environment variable {settings.key_env} {'holds no key' if key else 'is not set'}.",
                where="data.grow.key_env",
                next_move=f"export {settings.key_env}=… before you run the same command again",
            )
    return Server(settings.address, key, settings.timeout_s)


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
        401: "put a valid key into an environment variable and name that in `data.grow.key_env`",
        403: "put a valid key into an environment variable and name that in `data.grow.key_env`",
        404: "check the address, which mostly ends in /v1, and the model's name in `data.grow.served`",
    }.get(response.status, "see what the server says, then run the same command again")
    return DataError(
        "The server refuses to answer.",
        where=server.address,
        seen=f"HTTP {response.status}: {response.text}",
        next_move=next_move,
    )
