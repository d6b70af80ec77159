"""Shared fixtures: the bundled model if it is in the cache, the real data sets if they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

# Threads that wait sleep instead of spinning: on a busy machine small products are up to a hundred times quicker.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
import torch

from tests.tiny import write_model

os.environ.setdefault("HF_HUB_OFFLINE", "1")
torch.set_num_threads(1)  # tiny tensors: a second thread costs more than it does


@pytest.fixture(scope="session")
def smollm_path() -> Path:
    """The bundled SmolLM2-135M-Instruct; scripts/test fetches it."""
    from burnish.model.bundled import bundled_path

    path = bundled_path("smollm2-135m")
    if path is None:
        pytest.skip("SmolLM2-135M is not in the cache: run `burnish fetch smollm2-135m`")
    return path


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets that BURNISH_DATA names."""
    folder = os.environ.get("BURNISH_DATA")
    if not folder:
        pytest.skip("BURNISH_DATA is not set: the tests on real data sets are skipped")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 2 layers with a tokenizer, as a folder. Read it, don't write into it."""
    return write_model(tmp_path_factory.mktemp("tiny") / "model")
