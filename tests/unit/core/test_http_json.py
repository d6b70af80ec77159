import time
from collections.abc import Callable, Iterator

import pytest

from burnish.core.errors import DataError
from burnish.core.http_json import MOST_BYTES, Server, call
from tests.serving import Said, Seen, http_server, raw_server

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def quick(address: str, *, key: str = "", timeout_s: float = 300.0, retries: int = 2) -> Server:
    return Server(address, key, timeout_s, retries, first_pause_s=0.01)


def test_a_body_is_posted_and_the_json_comes_back() -> None:
    with http_server(lambda seen: Said({"heard": seen.body})) as (address, seen):
        assert call(quick(f"{address}/"), "chat/completions", {"a": "ä"}).value == {"heard": {"a": "ä"}}
    assert [one.path for one in seen] == ["/v1/chat/completions"]
    assert "Authorization" not in seen[0].headers


def test_the_key_goes_into_the_header_and_into_no_repr() -> None:
    with http_server(lambda _: Said({})) as (address, seen):
        server = quick(address, key="Canary12345")
        call(server, "chat", {})
    assert seen[0].headers["Authorization"] == "Bearer Canary12345"
    assert "Canary12345" not in repr(server)


def test_a_busy_server_is_asked_again_as_late_as_it_says() -> None:
    statuses = iter([429, 503, 200])

    def handle(_: Seen) -> Said:
        status = next(statuses)
        return Said({"status": status}, status, {"Retry-After": "0.3"} if status == 429 else {})

    with http_server(handle) as (address, seen):
        started = time.monotonic()
        assert call(quick(address), "chat", {}).value == {"status": 200}
    assert time.monotonic() - started >= 0.3
    assert len(seen) == 3


@pytest.mark.parametrize("wish", ["soon", "nan", "inf", "-5", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_senseless_wish_for_a_pause_is_passed_over(wish: str) -> None:
    with (
        http_server(lambda _: Said({}, 500, {"Retry-After": wish})) as (address, seen),
        pytest.raises(DataError, match="too busy") as failed,
    ):
        call(quick(address, retries=1), "chat", {})
    assert len(seen) == 2
    assert "HTTP 500" in failed.value.seen


def test_a_server_that_is_not_there_is_named() -> None:
    with http_server(lambda _: Said({})) as (address, _):
        pass
    with pytest.raises(DataError, match="cannot be reached") as failed:
        call(quick(address, retries=1), "chat", {})
    assert failed.value.where == address
    assert "tried 2 times" in failed.value.seen


def test_an_address_without_a_machine_behind_it_is_named() -> None:
    with pytest.raises(DataError, match="cannot be reached"):
        call(quick("http://no-such-machine.invalid/v1", retries=0), "chat", {})


def test_a_server_that_does_not_speak_tls_is_named() -> None:
    with (
        http_server(lambda _: Said({})) as (address, _),
        pytest.raises(DataError, match="cannot be reached"),
    ):
        call(quick(address.replace("http:", "https:"), retries=0), "chat", {})


def test_other_refusals_are_returned_at_once() -> None:
    with http_server(lambda _: Said(b"no \x1b[31mway\r\n", 404)) as (address, seen):
        response = call(quick(address), "chat", {})
    assert (response.status, response.text) == (404, "no [31mway")
    assert len(seen) == 1


def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    with http_server(lambda _: Said(b"wrong key: Canary12345", 401)) as (address, _):
        assert call(quick(address, key="Canary12345"), "chat", {}).text == "wrong key: …"


def test_a_redirect_is_not_followed() -> None:
    with (
        http_server(lambda _: Said({"stolen": True})) as (elsewhere, robbed),
        http_server(lambda _: Said({}, 307, {"Location": f"{elsewhere}/models"})) as (address, _),
        pytest.raises(DataError, match="sends on") as failed,
    ):
        call(quick(address, key="Canary12345"), "chat", {})
    assert elsewhere in failed.value.seen
    assert robbed == []


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><title>Welcome</title>", b"", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfe"]
)
def test_what_is_not_json_is_an_error_that_shows_its_beginning(body: bytes) -> None:
    with (
        http_server(lambda _: Said(body)) as (address, seen),
        pytest.raises(DataError, match="not answer in JSON") as failed,
    ):
        call(quick(address), "chat", {})
    assert len(failed.value.seen) <= 200
    assert len(seen) == 1


def endless() -> Iterator[bytes]:
    yield OK + b"\r\n"
    while True:
        yield b" " * 65536


def endless_chunks() -> Iterator[bytes]:
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b" " * 65536 + b"\r\n"


@pytest.mark.parametrize("pieces", [endless, endless_chunks])
def test_an_endless_body_is_left_after_a_few_megabytes(pieces: Callable[[], Iterator[bytes]]) -> None:
    with raw_server(pieces) as address, pytest.raises(DataError, match="far too long") as failed:
        call(quick(address), "chat", {})
    assert f"{MOST_BYTES:,}" in failed.value.seen


def trickle(first: bytes) -> Iterator[bytes]:
    yield first
    while True:
        time.sleep(0.05)
        yield b" "


@pytest.mark.parametrize("first", [b"HTTP/1.1 2", OK + b"X: ", OK + b"\r\n", OK + b"Content-Length: 99\r\n\r\n"])
def test_a_trickle_of_bytes_ends_when_the_time_is_over(first: bytes) -> None:
    with (
        raw_server(lambda: trickle(first)) as address,
        pytest.raises(DataError, match="in time"),
    ):
        call(quick(address, timeout_s=0.5), "chat", {})


def test_silence_ends_when_the_time_is_over() -> None:
    def silent() -> Iterator[bytes]:
        time.sleep(1)
        yield b""

    with raw_server(silent) as address, pytest.raises(DataError, match="in time"):
        call(quick(address, timeout_s=0.3), "chat", {})


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH_9.7\r\n", OK + b"Content-Length: 50\r\n\r\n{}", OK + b"Content-Length: -\r\n\r\n",
     b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, b"HTTP/1.1 99999 OK\r\n\r\n"],
)  # fmt: skip
def test_a_connection_that_breaks_or_speaks_otherwise_is_tried_again_and_then_an_error(said: bytes) -> None:
    count = 0

    def once() -> Iterator[bytes]:
        nonlocal count
        count += 1
        yield said

    with raw_server(once) as address, pytest.raises(DataError):
        call(quick(address, retries=1), "chat", {})
    assert count in (1, 2)
