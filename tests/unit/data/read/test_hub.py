"""hf:// addresses; the hub is played by a small server on loopback, and read in a process of its own, since the hub's
client takes its settings from the environment when it is imported."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import polars
import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def parquet(*numbers: int) -> bytes:
    out = BytesIO()
    polars.DataFrame({"n": numbers}).write_parquet(out)
    return out.getvalue()


FILES = {
    "README.md": b"about",
    "data/train-0.parquet": parquet(0, 1),
    "data/train-1.parquet": parquet(2),
    "data/test-0.parquet": parquet(3),
    "lines/a.jsonl": b'{"n": 4}\n',
    "deep/er/b.jsonl": b'{"n": 5}\n',
}


class Hub(BaseHTTPRequestHandler):
    """The two endpoints that are asked: what is in the repository, and a file of it."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/datasets/org/tiny/revision/none"):
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith("/api/datasets/org/tiny"):
            siblings = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
            self.answer(200, json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith(f"/datasets/org/tiny/resolve/{COMMIT}/"):
            self.answer(200, FILES[path.partition(COMMIT)[2].lstrip("/")])
        else:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def answer(self, status: int, content: bytes, more: dict[str, str] | None = None) -> None:
        etag = hashlib.sha256(content).hexdigest()
        headers = {"Content-Length": str(len(content)), "ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, **(more or {})}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


PROGRAM = """
import json, sys
from pathlib import Path
from burnish.core.errors import DataError
from burnish.data.read.settings import ReadSettings
from burnish.data.read.sources import sources
for address in sys.argv[1:]:
    try:
        found = sources(address, Path(), ReadSettings(largest_download_gb=1e-5 if "#" in address else 1))
        rows = [(row.source, dict(row.value)) for source in found for row in source.rows()]
        print(json.dumps({"rows": rows, "notes": found[0].facts().notes}))
    except DataError as error:
        print(json.dumps({"error": str(error)}))
"""


def read_elsewhere(home: Path, *addresses: str, **variables: str) -> list[dict[str, object]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    own = {"HF_HOME": str(home / "hf"), "BURNISH_CACHE": str(home / "burnish"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *addresses],
        env={**kept, **own, "HF_HUB_DISABLE_XET": "1", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_addresses_of_the_hub(hub: str, tmp_path: Path) -> None:
    root = "hf://datasets/org/tiny"
    known = {
        f"{root}/lines/a.jsonl": [("lines/a.jsonl:1", 4)],
        f"{root}/data/train-*.parquet": [
            ("data/train-0.parquet:1", 0),
            ("data/train-0.parquet:2", 1),
            ("data/train-1.parquet:1", 2),
        ],
        f"{root}/deep": [("deep/er/b.jsonl:1", 5)],
        f"{root}/**/b.jsonl": [("deep/er/b.jsonl:1", 5)],
        f"{root}@refs/convert/parquet/lines": [("lines/a.jsonl:1", 4)],
    }
    for answer, (address, rows) in zip(read_elsewhere(tmp_path, *known, HF_ENDPOINT=hub), known.items(), strict=True):
        prefix = f"{root}@refs/convert/parquet" if "@" in address else root
        assert answer["rows"] == [[f"{prefix}/{place}", {"n": number}] for place, number in rows]
        assert answer["notes"] == [f"commit {COMMIT}"]
    address = next(iter(known))
    for variables in ({"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}):
        (again,) = read_elsewhere(tmp_path, address, **variables)
        assert again["rows"] == [[f"{root}/lines/a.jsonl:1", {"n": 4}]]
        assert again["notes"] == [f"commit {COMMIT}; the hub could not be reached, so this is the copy of last time"]


def test_what_the_hub_does_not_give_is_one_clear_error(hub: str, tmp_path: Path) -> None:
    errors = {
        "hf://datasets/org/tiny": "several kinds",
        "hf://datasets/org/tiny/data": "several parts",
        "hf://datasets/org/tiny/none.jsonl": "No file here",
        "hf://datasets/org/tiny@none/lines": "no such revision",
        "hf://datasets/org/other/a.jsonl": "no such data set",
        "hf://datasets/org": "not an address of a data set",
        "hf://models/org/tiny": "not an address of a data set",
    }
    answers = read_elsewhere(tmp_path, *errors, HF_ENDPOINT=hub)
    for answer, message in zip(answers, errors.values(), strict=True):
        assert message in str(answer["error"])
    (answer,) = read_elsewhere(tmp_path, "hf://datasets/org/tiny/lines", HF_ENDPOINT="http://127.0.0.1:9")
    assert "The hub cannot be reached" in str(answer["error"])
