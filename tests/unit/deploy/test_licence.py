"""The base's own statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.deploy.licence import stated_licence


@pytest.mark.parametrize(
    ("readme", "licence"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ('---\nlicense: "mit"\n---\n', "mit"),
        ("# Model\nlicense: mit\n", ""),
        ("---\nlicense: <script>alert(1)</script>\n---\n", ""),
        (None, ""),
    ],
)
def test_front_matter_of_a_folder(readme: str | None, licence: str, tmp_path: Path) -> None:
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    assert stated_licence(tmp_path) == licence
