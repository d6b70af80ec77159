"""llama.cpp's server in a process of its own: `python -m burnish.server.llamacpp_child`.

What to serve comes as a line of JSON on standard input; the address goes as JSON to standard output. The process ends
when its input is closed, so it never outlives the one that started it. It listens on the loopback address and asks for
a key that only the two know.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import xllamacpp


def main() -> None:
    """Serves until standard input is closed."""
    wanted = json.loads(sys.stdin.readline())
    server = xllamacpp.Server(_parameters(wanted))
    print(json.dumps({"address": server.listening_address}), flush=True)
    while sys.stdin.readline():
        pass
    os._exit(0)  # the engine's own end waits for answers that nobody reads any more


def _parameters(wanted: dict[str, Any]) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = wanted["model"]
    parameters.n_ctx = wanted["context"] * wanted["slots"]  # shared out among the slots
    parameters.n_parallel = wanted["slots"]
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = wanted["threads"]
    parameters.model_alias = {wanted["name"]}
    parameters.verbosity = 1  # errors alone
    parameters.use_jinja = True
    parameters.ui = False
    parameters.endpoint_slots = parameters.endpoint_props = False
    parameters.api_keys = [wanted["key"]]
    parameters.lora_adapters = [_adapter(path) for path in wanted["adapters"]]
    return parameters


def _adapter(path: str) -> Any:
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path, adapter.scale = path, 1.0
    return adapter


if __name__ == "__main__":
    main()
