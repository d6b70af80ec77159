from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.core import files
from burnish.core.errors import BurnishError

WRITE = "from pathlib import Path; from burnish.core.files import write_bytes; import sys;"


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def test_a_file_is_written_whole_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    files.write_bytes(path, b"one")
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_a_process_killed_while_it_writes_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    # The content is on its way to the disk when the process dies, without a chance to clean up.
    code = WRITE + "import os; os.fsync = lambda handle: os._exit(9); write_bytes(Path(sys.argv[1]), b'new' * 1000)"
    assert run(code, str(path)).returncode == 9
    assert path.read_bytes() == b"old"
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


# A child sets itself a limit on the size of files, which the kernel reports as a disk would its end; the test on a real
# full disk is below, where the machine lets us mount one.
FULL = """
import resource, sys
from pathlib import Path
from burnish.core.errors import Stopped
from burnish.core.files import append_jsonl, write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
path = Path(sys.argv[1])
try:
    write_bytes(path, b"n" * 100_000) if sys.argv[2] == "write" else append_jsonl(path, {"text": "n" * 100_000})
except Stopped as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_full_disk_stops_with_75_and_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = run(FULL, str(path), "write")
    assert done.returncode == 75, done.stderr
    assert "disk is full" in done.stdout
    assert "run the same command again" in done.stdout
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_log_on_a_full_disk_keeps_its_lines_and_goes_on_after(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    files.append_jsonl(path, {"line": 1})
    assert run(FULL, str(path), "append").returncode == 75
    files.append_jsonl(path, {"line": 2})
    lines = path.read_text().splitlines()
    assert lines[0] == '{"line": 1}'
    assert lines[-1] == '{"line": 2}'


def test_a_real_full_disk_stops_with_75(tmp_path: Path) -> None:
    """A mount of 64 KiB in a namespace of our own, where the kernel allows it."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=64k tmpfs {tmp_path}"
    if subprocess.run([*namespace, "sh", "-c", mount], capture_output=True).returncode != 0:
        pytest.skip("this machine lets no user mount a file system of their own")
    code = WRITE + (
        "from burnish.core.errors import Stopped\n"
        "path = Path(sys.argv[1]) / 'file'\nwrite_bytes(path, b'old')\n"
        "try: write_bytes(path, b'n' * 1_000_000)\n"
        "except Stopped as error: assert path.read_bytes() == b'old'; sys.exit(error.exit_code)\n"
    )
    inside = f'{mount} && exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        [*namespace, "sh", "-c", inside, sys.executable, code, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 75, done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BurnishError, match="Cannot write here"):
        files.write_bytes(tmp_path / "file", b"")


def test_a_file_where_a_folder_should_be_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BurnishError, match="Cannot write here"):
        files.write_bytes(tmp_path / "file" / "below", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BurnishError, match="Cannot write here"):
        files.write_bytes(tmp_path / "folder", b"")


def test_jsonl_comes_back_as_it_was(tmp_path: Path) -> None:
    """Text may hold U+2028, U+0085 and other characters that some readers take for the end of a line."""
    rows = [{"text": "a\u2028b\u2029c\x85d\x0be\x1cf\r\ng"}, {"text": "🦊 ü"}, {}]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    assert files.read_jsonl(tmp_path / "rows.jsonl") == rows
    for row in rows:
        files.append_jsonl(tmp_path / "log.jsonl", row)
    assert (tmp_path / "log.jsonl").read_bytes() == (tmp_path / "rows.jsonl").read_bytes()


def test_a_line_that_a_crash_cut_short_spoils_no_later_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"line": 1}\n{"li')
    files.append_jsonl(path, {"line": 2})
    assert path.read_text() == '{"line": 1}\n{"li\n{"line": 2}\n'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_json(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "value.json", value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_a_damaged_document_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(BurnishError, match=r"Cannot read card\.json") as caught:
        files.read_json(path)
    assert caught.value.where == str(path)
    with pytest.raises(BurnishError, match="Cannot read"):
        files.read_json(tmp_path / "absent.json")


def test_hashes_follow_content_and_names_alone(tmp_path: Path) -> None:
    # sha256 of "abc" as FIPS 180-2 gives it.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    first, second = tmp_path / "first", tmp_path / "second"
    files.write_bytes(first / "x" / "file", b"abc")
    files.write_bytes(second / "x" / "file", b"abc")
    assert files.sha256_of_file(first / "x" / "file") == abc
    assert files.sha256_of_tree(first) == files.sha256_of_tree(second)
    (second / "x" / "file").rename(second / "x" / "other")
    assert files.sha256_of_tree(first) != files.sha256_of_tree(second)
    assert files.sha256_of_json({"a": 1, "b": 2}) == files.sha256_of_json({"b": 2, "a": 1})
    assert files.sha256_of_json({"a": 1}) != files.sha256_of_json({"a": 2})
