"""Addresses of servers as a recipe names them: no secret inside, and no key sent in the open. Free of sockets."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# Keys are mixed letters or hold hyphens: who writes the key itself in the place of its variable is told so.
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_elsewhere(address: str) -> bool:
    """Whether what is sent there leaves this machine."""
    return urlsplit(address).hostname not in LOOPBACK


def check_address(address: str, name: str, *, key: str, with_key: bool) -> None:
    """Raises ValueError: not an address without secrets, or one to which a key would travel in the open.

    `name` and `key` are the recipe's own words for the address and for the variable of the key.
    """
    try:
        parts = urlsplit(address)
        plain = parts.scheme.lower() in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        plain = False
    if not plain or not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError(f"`{name}` is not a valid address; one looks like http://127.0.0.1:8080/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(f"the address must not hold a name, a password, `?` or `#`; a key belongs in `{key}`")
    if with_key and parts.scheme.lower() == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("a key would be sent in the open: use an https:// address")


def check_variable(variable: str, key: str) -> None:
    """Raises ValueError: not the name of an environment variable, and so perhaps the key itself."""
    if not VARIABLE.fullmatch(variable):
        raise ValueError(
            f"`{key}` is the name of an environment variable in capital letters, such as MY_SERVER_KEY, never the key "
            "itself"
        )
