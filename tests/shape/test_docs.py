"""The documentation agrees with the code, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "generated"
WRITTEN = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "src/**/*.md", "recipes/**/*.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def tools() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        import docs_tools.settings

        yield docs_tools


def test_generated_pages_are_what_the_code_says_now(tmp_path: Path) -> None:
    command = [sys.executable, "scripts/make_docs.py", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in GENERATED.iterdir()}
    stale = [path.name for path in tmp_path.iterdir() if path.read_bytes() != (GENERATED / path.name).read_bytes()]
    assert not stale, "run `sh scripts/docs`"


def test_every_setting_has_a_description(tools: ModuleType) -> None:
    assert tools.settings.undescribed() == []


def slug(heading: str) -> str:
    """The anchor that code hosts make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    links = [link for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists() or not anchor:
        return target.exists()
    return anchor in map(slug, HEADING.findall(FENCE.sub("", target.read_text("utf-8"))))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


def test_guides_fit_on_a_page() -> None:
    """The generated references, the picture of the whole and the two journals may be longer."""
    longer = {"architecture.md", "results.md", "log.md"}
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "docs").glob("*.md")}
    assert {name: count for name, count in lines.items() if count > 80 and name not in longer} == {}
