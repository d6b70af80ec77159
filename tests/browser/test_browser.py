"""A few texts through a real browser, where one is at hand; `python -m tests.browser` takes all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.watch import NEEDED, missing

ROOT = Path(__file__).parents[2]


def test_without_a_browser_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BURNISH_BROWSER", raising=False)
    assert missing() == NEEDED
    assert "pip install playwright" in NEEDED


@pytest.mark.skipif(bool(missing()), reason="no browser: BURNISH_BROWSER and playwright")
def test_texts_that_act_do_nothing_and_the_pages_can_be_used() -> None:
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    run = subprocess.run(
        [sys.executable, "-m", "tests.browser", "--text", "8"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
