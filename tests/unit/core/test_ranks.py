from __future__ import annotations

import os
import subprocess
import sys

import pytest

from burnish.core.errors import BurnishError
from burnish.core.ranks import LIFELINE, Place, own_place

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "host",
            "MASTER_PORT": "2950"}  # fmt: skip


def test_a_place_is_read_from_what_torchrun_says() -> None:
    assert own_place(TORCHRUN) == Place(rank=3, size=4, local_rank=1, beside=2, address="host", port=2950)


def test_a_process_alone_has_none() -> None:
    assert own_place({}) is None
    assert own_place({**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"}) is None
    assert own_place({"RANK": "3", "WORLD_SIZE": "4"}) is None  # some batch systems set these and mean something else


@pytest.mark.parametrize(("name", "value"), [("RANK", "x"), ("RANK", "4"), ("RANK", "-1"), ("MASTER_PORT", "")])
def test_a_wrong_environment_is_an_error_of_ours(name: str, value: str) -> None:
    if not value:
        assert own_place({**TORCHRUN, name: value}) is None
        return
    with pytest.raises(BurnishError):
        own_place({**TORCHRUN, name: value})


def test_a_rank_ends_as_soon_as_the_process_that_started_it_is_gone() -> None:
    """The writing end of a pipe is closed by the kernel, however its holder ended."""
    reading, writing = os.pipe()
    program = """
import time
from burnish.core.ranks import hold_lifeline
hold_lifeline()
print("held", flush=True)
time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, LIFELINE: str(reading)},
                             pass_fds=[reading], stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert child.poll() is None
    os.close(writing)
    assert child.wait(timeout=10) == 1
    os.close(reading)
    child.stdout.close()
