"""llama.cpp and vLLM as engines for more load: which of a run's exported files they read, and their servers as child
processes on the loopback address."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from burnish.adapt.lora_file import read_config
from burnish.core.errors import BurnishError, MissingTool, RecipeError
from burnish.core.hardware import cores
from burnish.core.run_folder import RunFolder
from burnish.core.world import single_world
from burnish.deploy.loopback import free_port
from burnish.deploy.vllm import ABSENT, largest_rank, lora_rank
from burnish.deploy.vllm import command as vllm_command
from burnish.server.behind import Backed, Backend
from burnish.server.loading import model_name, open_run

CONTEXT = 4096  # tokens of a prompt and its answer in llama.cpp
# Of an exported GGUF, the most exact first.
FORMS = ("f32", "bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q5_1", "q5_0", "q4_k_m", "q4_1", "q4_0", "q3_k_m")
VLLM_SECONDS = 600.0  # to load a model


@dataclass(frozen=True)
class Plan:
    """One model file or folder, the adapters on it by name, and the name under which it answers without any."""

    model: Path
    name: str
    adapters: Mapping[str, Path]


def llamacpp_plan(runs: Sequence[RunFolder]) -> Plan:
    """The base's own GGUF with `adapter.gguf` of each run, or the exported GGUF of a single one.

    Raises RecipeError: nothing was exported for llama.cpp, or the runs stand on several models.
    """
    shops = {run.name: open_run(run.path) for run in runs}
    adapters = {run.name: run.export / "adapter.gguf" for run in runs}
    bases = {shop.path for shop in shops.values()}
    if all(path.is_file() for path in adapters.values()) and len(bases) == 1 and next(iter(bases)).suffix == ".gguf":
        return Plan(next(iter(bases)), model_name(shops[runs[0].name].recipe.model.name), adapters)
    files = [run.export / f"model-{form}.gguf" for run in runs for form in FORMS]
    found = [path for path in files if path.is_file()]
    if len(runs) != 1 or not found:
        raise RecipeError(
            "llama.cpp serves one GGUF file: that of a single run, or a base's own file with adapters.",
            seen=", ".join(run.name for run in runs),
            next_move="burnish export RUN --set 'export=[gguf-q8_0]', or [adapter-gguf] for several runs of one GGUF",
        )
    return Plan(found[0].resolve(), runs[0].name, {})


def vllm_plan(runs: Sequence[RunFolder]) -> Plan:
    """The folder of the base with the adapter of each run, or the merged folder of a single one.

    Raises RecipeError: nothing was exported for vLLM, or the runs stand on several models.
    """
    if len(runs) == 1 and (runs[0].export / "merged" / "config.json").is_file():
        return Plan((runs[0].export / "merged").resolve(), runs[0].name, {})
    shops = {run.name: open_run(run.path) for run in runs}
    bases = {shop.path if shop.path.is_dir() else shop.run.export / "base" for shop in shops.values()}
    adapters = {run.name: (run.adapter if shops[run.name].path.is_dir() else run.export / "adapter") for run in runs}
    base = next(iter(bases))
    if len(bases) != 1 or not base.is_dir() or not all(path.is_dir() for path in adapters.values()):
        raise RecipeError(
            "vLLM serves one folder of safetensors: the merged one of a single run, or a base's with adapters.",
            seen=", ".join(run.name for run in runs),
            next_move="burnish export RUN --set 'export=[merged]'",
        )
    return Plan(base, model_name(shops[runs[0].name].recipe.model.name), adapters)


@contextmanager
def llamacpp(plan: Plan, *, dtype: str, slots: int, longest: int) -> Iterator[Backend]:
    """Its server in a child process; `dtype` is the file's own.

    Raises MissingTool: it is not installed; BurnishError: it cannot load the file.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingTool("llama.cpp is not installed.", next_move="pip install 'burnish[llamacpp]'")
    key = secrets.token_urlsafe(32)
    wanted = {
        "model": str(plan.model), "name": plan.name, "key": key,
        "adapters": [str(path.resolve()) for path in plan.adapters.values()],
        "context": CONTEXT, "slots": slots, "threads": max(1, cores()),
    }  # fmt: skip
    command = [sys.executable, "-P", "-m", "burnish.server.llamacpp_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(wanted) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line.startswith("{"):
                raise BurnishError("llama.cpp cannot serve this file.", where=str(plan.model), seen=line[:200])
            yield Backend(json.loads(line)["address"], key, _llamacpp_models(plan, longest))
        finally:
            child.stdin.close()
            child.kill()


def _llamacpp_models(plan: Plan, longest: int) -> dict[str, Backed]:
    """Every request says the scale of every adapter: one that is not named would be on."""
    defaults = {"temperature": 0, "max_tokens": longest}

    def scales(name: str) -> list[dict[str, float]]:
        return [{"id": number, "scale": float(one == name)} for number, one in enumerate(plan.adapters)]

    base = {plan.name: Backed(fields={"lora": scales("")} if plan.adapters else {}, defaults=defaults)}
    return base | {name: Backed(plan.name, {"lora": scales(name)}, defaults) for name in plan.adapters}


@contextmanager
def vllm(plan: Plan, *, dtype: str, slots: int, longest: int) -> Iterator[Backend]:
    """vLLM's server in a child process. Raises MissingTool: it is not here; BurnishError: it ended."""
    program = vllm_command()
    if program is None:
        raise MissingTool(ABSENT, next_move="pip install vllm, in an environment of its own")
    key, port = secrets.token_urlsafe(32), free_port()
    modules = [f"{name}={path.resolve()}" for name, path in plan.adapters.items()]
    lora = ["--enable-lora", "--max-lora-rank", str(_rank(plan)), "--max-loras", str(len(modules)), "--lora-modules"]
    # On a CPU compiling takes minutes at each start and gains little.
    eager = [] if single_world().device.type == "cuda" else ["--enforce-eager"]
    command = [
        *program, str(plan.model), "--served-model-name", plan.name, "--host", "127.0.0.1", "--port", str(port),
        "--max-num-seqs", str(slots), "--dtype", dtype, *eager, *([*lora, *modules] if modules else []),
    ]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    defaults = {"temperature": 0, "max_tokens": longest}
    models = {plan.name: Backed(defaults=defaults)}
    models |= {name: Backed(plan.name, {}, defaults) for name in plan.adapters}
    with subprocess.Popen(command, env=_environment(key), stdin=subprocess.DEVNULL) as child:
        try:
            _wait_for(child, address)
            yield Backend(address, key, models)
        finally:
            child.terminate()


def _rank(plan: Plan) -> int:
    """The least of vLLM's sizes that holds all adapters."""
    return lora_rank(max((largest_rank(read_config(path)) for path in plan.adapters.values()), default=0))


def _environment(key: str) -> dict[str, str]:
    """The key goes by the environment: arguments can be read by every user of the machine."""
    return {**os.environ, "VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def _wait_for(child: subprocess.Popen[bytes], address: str) -> None:
    """Until the server answers. Raises BurnishError: it ended, or does not come."""
    until = time.monotonic() + VLLM_SECONDS
    while child.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise BurnishError("vLLM did not come up.", seen=f"exit code {child.poll()}", next_move="see what it said above")
