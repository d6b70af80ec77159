"""From a name to a path; the hub is played by a small server on loopback."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from burnish.core.errors import ModelError
from burnish.model.resolve import resolve

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model.safetensors": bytes(range(256)) * 8,
    "README.md": b"not wanted",
    "consolidated.safetensors": b"a second copy",
    "pytorch_model.bin": b"never wanted",
    "own_code.py": b"never wanted",
}


class Hub(BaseHTTPRequestHandler):
    """The two endpoints that `snapshot_download` asks: what is in the repository, and a file of it."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith(("/api/models/org/tiny", "/api/models/org/cut")):
            self.answer(200, self.listing(path))
        elif path.startswith("/org/tiny/resolve/") and path.rsplit("/", 1)[1] in FILES:
            self.answer(200, FILES[path.rsplit("/", 1)[1]])
        elif path.startswith("/org/cut/resolve/"):
            self.answer(200, FILES[path.rsplit("/", 1)[1]], cut=True)
        else:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def listing(self, path: str) -> bytes:
        import json

        if "/tree/" in path:
            return json.dumps(
                [{"type": "file", "path": name, "size": len(data), "oid": name} for name, data in FILES.items()]
            ).encode()
        siblings = [{"rfilename": name} for name in FILES]
        return json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": siblings}).encode()

    def answer(self, status: int, content: bytes, more: dict[str, str] | None = None, *, cut: bool = False) -> None:
        etag = hashlib.sha256(content).hexdigest()
        headers = {"Content-Length": str(len(content)), "ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, **(more or {})}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def resolve_elsewhere(name: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`resolve` in a process of its own: the hub's client reads its settings once, when it is imported."""
    program = (
        "import sys\n"
        "from burnish.core.errors import ModelError\n"
        "from burnish.model.resolve import resolve\n"
        "try:\n    print(resolve(sys.argv[1]))\n"
        "except ModelError as error:\n    sys.exit(str(error))\n"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment = {
        **kept,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-c", program, name], env=environment, cwd=home, capture_output=True, text=True, timeout=60
    )


def test_a_hub_model_is_fetched_once_and_then_found_offline(hub: str, tmp_path: Path) -> None:
    done = resolve_elsewhere("org/tiny", tmp_path, HF_ENDPOINT=hub)
    folder = Path(done.stdout.strip())
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    again = resolve_elsewhere("org/tiny", tmp_path, HF_HUB_OFFLINE="1")
    assert again.stdout == done.stdout


def test_a_model_that_the_hub_does_not_have_is_said_so(hub: str, tmp_path: Path) -> None:
    done = resolve_elsewhere("org/other", tmp_path, HF_ENDPOINT=hub)
    assert done.returncode == 1
    assert "There is no model org/other" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["org/a..b", "org/a--b", "org/" + "a" * 200])
def test_a_name_that_the_hub_does_not_allow_is_no_model(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no"):
        resolve(name, base=tmp_path)


@pytest.mark.parametrize("variables", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_a_connection_it_is_one_clear_error(tmp_path: Path, variables: dict[str, str]) -> None:
    done = resolve_elsewhere("org/tiny", tmp_path, **variables)
    assert done.returncode == 1
    assert "not on this machine, and the hub cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_download_that_breaks_off_is_one_clear_error(hub: str, tmp_path: Path) -> None:
    done = resolve_elsewhere("org/cut", tmp_path, HF_ENDPOINT=hub)
    assert done.returncode == 1
    assert "could not be downloaded" in done.stderr
    assert "goes on where it stopped" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_and_a_file_are_found_from_the_base(tmp_path: Path) -> None:
    (tmp_path / "models" / "own").mkdir(parents=True)
    (tmp_path / "models" / "own" / "config.json").write_text("{}")
    (tmp_path / "models" / "m.gguf").write_bytes(b"GGUF")
    assert resolve("models/own", base=tmp_path) == tmp_path / "models" / "own"
    assert resolve("models/m.gguf", base=tmp_path) == tmp_path / "models" / "m.gguf"
    assert resolve(str(tmp_path / "models" / "m.gguf")) == tmp_path / "models" / "m.gguf"


def test_a_bundled_model_that_is_not_there_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        resolve("smollm2-135m")
    assert caught.value.next_move == "burnish fetch smollm2-135m"


@pytest.mark.parametrize(
    "name",
    ["", "nothing", "../nothing", "a/b/c", "org/", "/org/name", "org/na me", "a\0b/c", "m.gguf", "~nobody-here/x"],
)
def test_a_name_that_is_nothing_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        resolve(name, base=tmp_path / "absent")


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(ModelError):
        resolve("")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="a folder or a"):
        resolve("model.safetensors", base=tmp_path)


def test_a_folder_that_is_no_model_is_refused_before_anything_looks_through_it() -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve("/")
