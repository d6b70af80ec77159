from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from burnish.server.api_error import ApiError
from burnish.server.tuning.upload import Upload, receive

FORM = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n' \
       b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\nContent-Type: x/y\r\n\r\n' \
       b"one\r\n--two\r\n--b--\r\n"  # fmt: skip
KIND = "multipart/form-data; boundary=b"


def upload(body: bytes, folder: Path, *, size: int = 1, most: int = 100, kind: str = KIND) -> Upload:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return asyncio.run(receive(kind, pieces(), folder, most))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_form_is_read_in_pieces_of_any_size(size: int, tmp_path: Path) -> None:
    got = upload(FORM, tmp_path, size=size)
    assert (got.filename, got.fields) == ("a.jsonl", {"purpose": "fine-tune"})
    assert got.content.read_bytes() == b"one\r\n--two"
    assert got.content.parent == tmp_path


def test_a_file_is_refused_at_the_first_byte_too_many_and_nothing_stays(tmp_path: Path) -> None:
    assert upload(FORM, tmp_path, most=10).content.stat().st_size == 10
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(ApiError) as error:
        upload(FORM, tmp_path, most=9)
    assert (error.value.status, error.value.code) == (413, "file_too_large")
    assert not list(tmp_path.iterdir())


def test_a_client_that_leaves_leaves_nothing(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield FORM[:-20]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(receive(KIND, pieces(), tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("body", "kind"),
    [(FORM, "application/json"), (FORM, "multipart/form-data"), (b"--c\r\n", KIND), (b"--b\r\nno header\r\n\r\n", KIND),
     (b'--b\r\nX: "' + b"y" * 5000, KIND), (FORM[: FORM.index(b"--b\r\n", 5)] + b"--b--\r\n", KIND)],
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes, kind: str, tmp_path: Path) -> None:
    with pytest.raises(ApiError) as error:
        upload(body, tmp_path, kind=kind)
    assert error.value.status == 400
    assert not list(tmp_path.iterdir())
