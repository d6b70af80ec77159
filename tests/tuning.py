"""A server of the fine-tuning routes alone, in this process or in one of its own: `python -m tests.tuning FOLDER`."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from burnish.server.error_answers import ERRORS
from burnish.server.tuning.desk import Desk, desk_at
from burnish.server.tuning.routes import tuning_router
from burnish.server.tuning.runner import running

# What would take longer than the training of a tiny model, and is tested elsewhere.
QUICK = {"evaluate": {"retention": "off", "opponents": ["base"], "max_new_tokens": 4}}


def app_of(desk: Desk) -> FastAPI:
    """The routes, and what the server answers where they refuse."""
    app = FastAPI()
    app.include_router(tuning_router(desk))
    for kind, answer in ERRORS.items():
        app.add_exception_handler(kind, answer)
    return app


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the app on a free port, with /v1 at its end."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def tuning_server(folder: Path, model: Path | None = None, common: dict[str, Any] | None = None) -> Iterator[str]:
    """Files and jobs; these are worked on where there is a model, which is called `tiny`. Names that were published
    stand in FOLDER/published."""
    published = folder / "published"

    def publish(name: str, run: Path) -> None:
        published.open("a").write(f"{name} {run}\n")

    bases = {"tiny": str(model)} if model else {"tiny": "smollm2-135m"}
    with (
        desk_at(folder / "runs", bases, publish, common=common or QUICK) as desk,
        running(desk) if model else contextlib.nullcontext(),
        served(app_of(desk)) as address,
    ):
        yield address


def main() -> None:
    """Serves until it is killed; writes its address to FOLDER/address."""
    folder, model, common = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    with tuning_server(folder, model, common) as address:
        (folder / "address.new").write_text(address)
        (folder / "address.new").replace(folder / "address")
        threading.Event().wait()


if __name__ == "__main__":
    main()
