"""The tiny training run of the loop's own tests."""

from __future__ import annotations

from tests.unit.train.conftest import make_run

__all__ = ["make_run"]
