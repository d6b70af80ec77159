"""The server on a real socket for the tests, and adapters that change what a tiny model says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import torch
from fastapi import APIRouter
from openai import OpenAI

from burnish.adapt.methods import write_adapter
from burnish.server.app import create_app
from burnish.server.catalog import Catalog
from burnish.server.guard import Limits
from burnish.server.key import Key
from burnish.server.serve import address, listen, make_server
from burnish.server.worker import Worker

KEY = "a-key-for-the-tests-alone-0123456789"
AUTH = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Live:
    """A running server. `log` is what it noted of each request."""

    url: str
    catalog: Catalog
    worker: Worker
    log: list[dict[str, Any]] = field(default_factory=list)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    @cached_property
    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.http.post(f"{self.url}{path}", json=body, headers={**AUTH, **headers})


@contextlib.contextmanager
def live_server(
    *, capacity: int = 64, roots: Sequence[Path] = (), limits: Limits | None = None, routers: Sequence[APIRouter] = ()
) -> Iterator[Live]:
    """Serves in a thread, with an empty catalogue."""
    with contextlib.closing(Worker(capacity=capacity)) as worker:
        catalog = Catalog(worker, slots=8, roots=roots)
        log: list[dict[str, Any]] = []
        app = create_app(catalog, Key(KEY), log=log.append, limits=limits, routers=routers, longest=64)
        opened = listen("127.0.0.1", 0)
        server = make_server(app, header_seconds=1)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        try:
            live = Live(address(opened), catalog, worker, log)
            with live.http:
                yield live
        finally:
            server.should_exit = True
            thread.join()
            opened.close()


def write_random_adapter(folder: Path, seed: int, *, size: float = 1.0) -> Path:
    """A LoRA adapter for the tiny model, large enough that it says something else."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(2):
        name = f"base_model.model.model.layers.{layer}.mlp.down_proj"
        tensors[f"{name}.lora_A.weight"] = torch.randn(4, 96, generator=generator)
        tensors[f"{name}.lora_B.weight"] = torch.randn(64, 4, generator=generator) * size
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["down_proj"], "bias": "none",
              "base_model_name_or_path": "model"}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_adapter(folder, tensors, config)
    return folder
