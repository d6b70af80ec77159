"""llama.cpp's own server, from its package: `python -m benchmarks.peers.llamacpp_serve FILE PORT STREAMS THREADS`."""

from __future__ import annotations

import sys
import time

import xllamacpp

CONTEXT = 1024  # tokens of each stream


def main() -> None:
    path, port, streams, threads = sys.argv[1], *map(int, sys.argv[2:5])
    asked = xllamacpp.CommonParams()
    asked.model.path = path
    asked.port = port
    asked.n_parallel = streams
    asked.n_ctx = CONTEXT * streams
    asked.cpuparams.n_threads = threads
    asked.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(asked)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
