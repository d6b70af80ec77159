"""Signatures with a key of one's own, by the package that others verify with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.deploy.manifest import write_manifest
from burnish.deploy.signing import check_signature, sign

pytest.importorskip("model_signing", reason="needs the extra `sign`")
pytest.importorskip("OpenSSL", reason="needs the extra `sign`")


def write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    pem = serialization.Encoding.PEM
    private.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())  # a test's key
    )
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "export"
    (folder / "merged").mkdir(parents=True)
    (folder / "merged" / "config.json").write_text('{"width": 8}')
    (folder / "Modelfile").write_text("FROM ./model.gguf\n")
    write_manifest(folder)
    private, public = write_keys(tmp_path, "mine")
    sign(folder, private)
    return folder, public


def change(folder: Path) -> None:
    (folder / "Modelfile").write_text("FROM ./other.gguf\n")
    write_manifest(folder)  # as somebody would who wants it unseen


def add(folder: Path) -> None:
    (folder / "merged" / ".gitignore").write_text("")


def remove(folder: Path) -> None:
    (folder / "Modelfile").unlink()


def rename(folder: Path) -> None:
    (folder / "Modelfile").rename(folder / "Modelfile.old")


def test_a_signature_holds_for_its_key(signed: tuple[Path, Path]) -> None:
    check_signature(*signed)


def test_it_holds_from_wherever_it_is_asked(
    signed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sign(Path("export"), Path("mine.pem"))
    check_signature(Path("export"), Path("mine.pub"))
    check_signature(*signed)


def test_another_key_does_not_verify(signed: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = write_keys(tmp_path, "other")
    with pytest.raises(BurnishError, match="does not hold"):
        check_signature(signed[0], other)


@pytest.mark.parametrize("harm", [change, add, remove, rename])
def test_what_is_done_to_a_file_breaks_the_signature(signed: tuple[Path, Path], harm: Callable[[Path], None]) -> None:
    harm(signed[0])
    with pytest.raises(BurnishError, match="does not hold"):
        check_signature(*signed)


def test_a_folder_that_was_changed_is_not_signed(signed: tuple[Path, Path], tmp_path: Path) -> None:
    remove(signed[0])
    with pytest.raises(BurnishError, match="not signed"):
        sign(signed[0], tmp_path / "mine.pem")


def test_an_unsigned_folder_is_told(signed: tuple[Path, Path]) -> None:
    (signed[0] / "model.sig").unlink()
    with pytest.raises(BurnishError, match="no signature"):
        check_signature(*signed)


def test_a_file_that_is_no_key_is_told(signed: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BurnishError, match="cannot sign"):
        sign(signed[0], tmp_path / "text")
