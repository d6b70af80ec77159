"""The OpenAI-compatible server that the settings of growing name."""

from __future__ import annotations

from burnish.core.asking import Model, Writer
from burnish.core.http_json import Keys, Server
from burnish.core.openai import key_from, openai_asker
from burnish.data.grow.settings import GrowSettings

KEYS = Keys(
    address="data.grow.model",
    model="data.grow.served",
    key="data.grow.key_env",
    timeout="data.grow.timeout_s",
    length="data.grow.max_new_tokens",
)


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
    return Server(settings.address, key_from(settings.key_env, where=KEYS.key), settings.timeout_s, keys=KEYS)
