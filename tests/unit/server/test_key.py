"""The server's key: made once, kept from others, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from burnish.core.errors import BurnishError, RecipeError
from burnish.server.key import VARIABLE, given_key, kept_key, key_path


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "server.key"
    made = kept_key(path)
    assert len(made.value) >= 43  # 256 bits in base64
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert kept_key(path).value == made.value
    assert kept_key(tmp_path / "other").value != made.value
    assert made.value not in repr(made)


def test_a_file_that_others_can_read_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    kept_key(path)
    os.chmod(path, 0o644)
    with pytest.raises(BurnishError, match="cannot be trusted"):
        kept_key(path)
    os.chmod(path, 0o600)
    path.write_text("")
    with pytest.raises(BurnishError, match="no key in it"):
        kept_key(path)


def test_a_key_fits_itself_alone(tmp_path: Path) -> None:
    key = kept_key(tmp_path / "server.key")
    assert key.fits(key.value)
    assert not any(key.fits(wrong) for wrong in ("", key.value[:-1], key.value + " ", "ü", "\ud800"))


def test_a_given_key_is_checked_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert given_key(None) is None
    monkeypatch.setenv(VARIABLE, "from-the-environment-1")
    found = given_key(None)
    assert found is not None
    assert found.value == "from-the-environment-1"
    for wrong in ("", "short", "with space in it 1234", "line\nbreak-1234567890", "ümlaut-1234567890"):
        with pytest.raises(RecipeError) as refused:
            given_key(wrong)
        assert not wrong or wrong not in str(refused.value)


def test_the_file_stands_where_the_user_keeps_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BURNISH_HOME", str(tmp_path))
    assert key_path() == tmp_path / "server.key"
    monkeypatch.delenv("BURNISH_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    assert key_path() == tmp_path / "c" / "burnish" / "server.key"
