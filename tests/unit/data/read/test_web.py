"""http addresses, against a server on loopback: the cache, redirects, refusals, downloads that break off."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from burnish.core.errors import DataError
from burnish.data.read import web
from burnish.data.read.settings import ReadSettings
from burnish.data.read.sources import sources
from tests.unit.data.read.reading import open_source, result_of

ROWS = [{"q": "eins"}, {"q": "zwei"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@dataclass
class Site:
    """What the server gives, and what it was asked: (path, status)."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tags: bool = True
    asked: list[tuple[str, int]] = field(default_factory=list)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            match path.split("/")[1]:
                case "to":
                    self.answer(302, headers={"Location": self.path.partition("?")[2]})
                case "status":
                    self.answer(int(path.split("/")[2]))
                case "cut":
                    self.answer(200, LINES, {"Content-Length": str(len(LINES) + 5)})
                case "endless":
                    self.answer(200, b"x" * 100_000, {"Content-Length": ""})
                case "huge":
                    self.answer(200, LINES, {"Content-Length": str(10**13)})
                case "slow":
                    self.answer(200, b"", {"Content-Length": "100"})
                    for _ in range(30):
                        self.wfile.write(b"x")
                        time.sleep(0.02)
                case _ if path in site.files:
                    content = site.files[path]
                    tag = f'"{hash(content)}"' if site.tags else ""
                    if tag and self.headers["If-None-Match"] == tag:
                        self.answer(304)
                    else:
                        self.answer(200, content, {"ETag": tag} if tag else {})
                case _:
                    self.answer(404)

        def answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
            site.asked.append((self.path, status))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_fetched_once_and_again_only_when_it_changed(site: Site, tmp_path: Path) -> None:
    site.files["/a.jsonl"] = LINES
    said: list[str] = []
    for _ in range(2):
        assert result_of(open_source(f"{site.address}/a.jsonl", tmp_path, say=said.append)).values == ROWS
    assert [status for _, status in site.asked] == [200, 304]
    assert said == [f"fetching {site.address}/a.jsonl (0.0 MB)"]
    site.files["/a.jsonl"] = b'{"q": "drei"}\n'
    assert result_of(open_source(f"{site.address}/a.jsonl", tmp_path)).values == [{"q": "drei"}]


def test_without_a_tag_a_file_is_fetched_each_time(site: Site, tmp_path: Path) -> None:
    site.files["/a.jsonl.gz"], site.tags = gzip.compress(LINES), False
    for _ in range(2):
        assert result_of(open_source(f"{site.address}/a.jsonl.gz", tmp_path)).values == ROWS
    assert [status for _, status in site.asked] == [200, 200]


def test_secrets_of_an_address_are_in_no_name(site: Site, tmp_path: Path) -> None:
    site.files["/a%20b.jsonl"] = LINES
    result = result_of(open_source(f"{site.address}/a b.jsonl?token=secret#part", tmp_path))
    assert result.facts.name == f"{site.address}/a b.jsonl"
    assert result.raws[0].source == f"{site.address}/a b.jsonl:1"
    assert site.asked[0][0] == "/a%20b.jsonl?token=secret"
    assert web.public_name("https://me:secret@host:1/a?key=secret") == "https://host:1/a"
    cached = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not any(b"secret" in content for content in cached)


def test_a_redirect_is_followed_to_http_and_to_nothing_else(site: Site, tmp_path: Path) -> None:
    site.files["/a.jsonl"] = LINES
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(LINES)
    assert result_of(open_source(f"{site.address}/to/a.jsonl?{site.address}/a.jsonl", tmp_path)).values == ROWS
    for target in (f"file://{secret}", "ftp://127.0.0.1/a.jsonl", "data:text/plain,x", f"{site.address}/to/b?/to/b"):
        with pytest.raises(DataError):
            sources(f"{site.address}/to/b?{target}", tmp_path)


def test_a_server_that_is_gone_leaves_the_copy_of_last_time(site: Site, tmp_path: Path) -> None:
    site.files["/a.jsonl"] = LINES
    sources(f"{site.address}/a.jsonl", tmp_path)
    (entry,) = (tmp_path / "cache").rglob("entry.json")
    address = "http://127.0.0.1:9/a.jsonl"
    with pytest.raises(DataError, match="cannot be reached"):
        sources(address, tmp_path)
    entry.parent.rename(entry.parent.with_name(web.hashlib.sha256(address.encode()).hexdigest()[:32]))
    result = result_of(open_source(address, tmp_path))
    assert result.values == ROWS
    assert result.facts.notes == ("the server could not be reached: the copy of last time was read",)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/none.jsonl", r"no file at this address[\s\S]*HTTP 404 Not Found"),
        ("/status/403", "asks for a permission"),
        ("/status/429", "HTTP 429 Too Many Requests"),
        ("/status/500", "HTTP 500"),
        ("/cut/a.jsonl", r"broke off[\s\S]*28 of 33 bytes"),
        ("/huge/a.jsonl", r"larger than a download may be[\s\S]*10,000,000,000,000 bytes"),
        ("/endless/a.jsonl", r"larger than a download may be[\s\S]*more than"),
        ("/page.jsonl", "web page came instead"),
        ("/empty.jsonl", "empty"),
    ],
)
def test_what_cannot_be_had_is_one_clear_error_and_leaves_no_file(
    site: Site, tmp_path: Path, path: str, message: str
) -> None:
    site.files["/page.jsonl"] = b"\n<!DOCTYPE html><html>please log in</html>"
    site.files["/empty.jsonl"] = b""
    with pytest.raises(DataError, match=message):
        result_of(open_source(site.address + path, tmp_path, ReadSettings(largest_download_gb=5e-5)))
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
    assert not left or path == "/empty.jsonl"


@pytest.mark.parametrize(
    "address", ["http://", "http://[::1/a", "http://127.0.0.1:99999/a", "http://a b/c", "https://é\0/c"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(DataError, match="address"):
        sources(address, tmp_path)


def test_a_server_that_drips_is_given_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SLOWEST_SECONDS", 0.1)
    with pytest.raises(DataError, match="broke off"):
        sources(f"{site.address}/slow/a.jsonl", tmp_path)
