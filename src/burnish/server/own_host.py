"""Which Host and Origin headers name this server. A page of the web that had its own name lead here (DNS rebinding)
sends another name, and a script of such a page sends another origin."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def is_own_host(header: str, names: Collection[str], port: int) -> bool:
    """Whether a Host header names this server: by number or as localhost, with its port; or by one of `names`, with any
    port, since what speaks HTTPS before the server has one of its own."""
    try:
        parts = urlsplit(f"//{header}")
        name, given = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return False
    if name == "localhost" or _is_number(name):
        return (given or 80) == port
    return bool(name) and name in {own.lower() for own in names}


def _is_number(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False


def is_own_origin(header: str, names: Collection[str], port: int) -> bool:
    """Whether an Origin header is this server's own; `null`, which hides who asks, is not."""
    scheme, _, host = header.partition("://")
    return scheme in ("http", "https") and is_own_host(host, names, port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
