"""A scenario in a warm process of its own, and its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.crash.processes import run


def in_warm_process(work: Callable[..., Any], scratch: Path, *arguments: Any) -> Any:
    """work(*arguments), done by a fork that may mount disks and patch what it likes; the result comes as JSON.

    Raises AssertionError with what the scenario raised.
    """
    log, result = scratch / "scenario.log", scratch / "scenario.json"
    code = run(_write, log, work, result, arguments)
    assert code == 0, log.read_text()
    return json.loads(result.read_text())


def _write(work: Callable[..., Any], result: Path, arguments: tuple[Any, ...]) -> None:
    result.write_text(json.dumps(work(*arguments)))
