"""An http or https address → a file in the cache, fetched again only when the server says that it has changed."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from burnish.core.errors import DataError
from burnish.core.files import check_room, write_json, write_pieces
from burnish.data.read.kind import KINDS
from burnish.data.read.stored import suffix_of
from burnish.model.bundled import cache_folder

TIMEOUT_SECONDS = 30.0  # without any byte
SLOWEST_SECONDS, SLOWEST_BYTES = 60.0, 64 << 10  # fewer bytes in that time are no download
PIECE_BYTES = 1 << 20
SAMPLE_BYTES = 512
REFUSED = {401, 403}
ABSENT = {404, 410}


@dataclass(frozen=True)
class Fetched:
    """A file on this machine; `name` is its address without secrets, `note` says if it may be out of date."""

    path: Path
    name: str
    note: str = ""


@dataclass(frozen=True)
class _Entry:
    """What the cache knows of the file that an address gave last."""

    file: str
    size_bytes: int
    etag: str
    last_modified: str


def fetch(address: str, *, largest_bytes: float, say: Callable[[str], None]) -> Fetched:
    """The file behind an address. Where the server cannot be reached, the copy of last time serves, and that is noted.

    Only http and https are followed, and only for an address that the user named.

    Raises DataError: there is no such file, it is too large, it may not be read, or it broke off.
    """
    name = public_name(address)
    folder = cache_folder() / "downloads" / hashlib.sha256(address.encode()).hexdigest()[:32]
    entry = _entry(folder)
    try:
        with _opener().open(_request(address, entry), timeout=TIMEOUT_SECONDS) as response:
            file = _store(response, folder, name, largest_bytes, say)
    except urllib.error.HTTPError as error:
        if entry and error.code == http.client.NOT_MODIFIED:
            return Fetched(folder / entry.file, name)
        if entry and error.code >= http.client.INTERNAL_SERVER_ERROR:
            return Fetched(
                folder / entry.file, name, f"the server answered {error.code}: the copy of last time was read"
            )
        raise _refusal(name, error.code) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        if entry:
            return Fetched(folder / entry.file, name, "the server could not be reached: the copy of last time was read")
        raise DataError(
            "The address cannot be reached.",
            where=name,
            seen=(str(error) or type(error).__name__)[:200],
            next_move="check the address and the connection, then run the same command again",
        ) from error
    return Fetched(folder / file, name)


def public_name(address: str) -> str:
    """An address without password, query and fragment, which may hold secrets, for cards and messages."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise DataError("This is not an address.", seen=str(error), next_move="copy it again") from error
    return urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _opener() -> urllib.request.OpenerDirector:
    """Without handlers for ftp, file and data addresses, so that no redirect can lead there."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _request(address: str, entry: _Entry | None) -> urllib.request.Request:
    parts = urlsplit(address)
    spelt = urlunsplit(parts._replace(path=quote(parts.path, safe="/%:@!$&'()*+,;=~"), fragment=""))
    headers = {"User-Agent": "burnish", "Accept-Encoding": "identity"}
    if entry and entry.etag:
        headers["If-None-Match"] = entry.etag
    elif entry and entry.last_modified:
        headers["If-Modified-Since"] = entry.last_modified
    return urllib.request.Request(spelt, headers=headers)


def _entry(folder: Path) -> _Entry | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        entry = _Entry(**json.loads((folder / "entry.json").read_text("utf-8")))
        if (folder / entry.file).stat().st_size == entry.size_bytes:
            return entry
    return None


def _store(
    response: http.client.HTTPResponse, folder: Path, name: str, largest_bytes: float, say: Callable[[str], None]
) -> str:
    """Writes the answer into the cache, whole or not at all. Returns the file's name there: its hash."""
    stated = response.headers.get("Content-Length", "")
    size = int(stated) if stated.isdecimal() else 0
    say(f"fetching {name}" + (f" ({size / 1e6:,.1f} MB)" if size else ""))
    if size > largest_bytes:
        raise _too_large(name, f"{size:,} bytes", largest_bytes)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(folder, size)
    arriving = folder / "arriving"
    digest = write_pieces(arriving, _arriving(response, name, size, largest_bytes), size)
    entry = _Entry(
        digest[:32],
        arriving.stat().st_size,
        response.headers.get("ETag", ""),
        response.headers.get("Last-Modified", ""),
    )
    arriving.replace(folder / entry.file)
    write_json(folder / "entry.json", asdict(entry))
    return entry.file


def _arriving(response: http.client.HTTPResponse, name: str, size: int, largest_bytes: float) -> Iterator[bytes]:
    """The bytes of an answer as they come. Raises DataError: too many, too few, too slow, or a web page."""
    came, since, came_since = 0, time.monotonic(), 0
    while piece := response.read1(PIECE_BYTES):
        if not came:
            _check_no_page(piece, name)
        came += len(piece)
        came_since += len(piece)
        if came > largest_bytes:
            raise _too_large(name, f"more than {came:,} bytes", largest_bytes)
        if time.monotonic() - since > SLOWEST_SECONDS:
            if came_since < SLOWEST_BYTES:
                raise _broken_off(name, f"{came_since:,} bytes in the last {SLOWEST_SECONDS:.0f} seconds")
            since, came_since = time.monotonic(), 0
        yield piece
    if size and came != size:
        raise _broken_off(name, f"{came:,} of {size:,} bytes")


def _check_no_page(head: bytes, name: str) -> None:
    start = head[:SAMPLE_BYTES].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) and KINDS.get(suffix_of(name)) != "text":
        raise DataError(
            "A web page came instead of a data file.",
            where=name,
            seen=head[:60].decode(errors="replace"),
            next_move="name the address of the file itself: behind `Raw` or `Download` on its page",
        )


def _too_large(name: str, seen: str, largest_bytes: float) -> DataError:
    return DataError(
        "The file is larger than a download may be.",
        where=name,
        seen=f"{seen}; the limit is {largest_bytes / 1e9:g} GB",
        next_move="raise data.read.largest_download_gb, or copy the file yourself and name the copy",
    )


def _broken_off(name: str, seen: str) -> DataError:
    return DataError("The download broke off.", where=name, seen=seen, next_move="run the same command again")


def _refusal(name: str, code: int) -> DataError:
    if code in ABSENT:
        what, next_move = "There is no file at this address.", "check the address"
    elif code in REFUSED:
        what, next_move = "This address asks for a permission.", "download the file yourself and name the copy"
    else:
        what, next_move = "The server does not give the file.", "try again later, or download the file yourself"
    reason = http.client.responses.get(code, "")
    return DataError(what, where=name, seen=f"HTTP {code} {reason}".strip(), next_move=next_move)
