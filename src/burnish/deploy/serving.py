"""What starts a server on the exported forms: Modelfiles for Ollama, a line for vLLM, compose.yaml, a Containerfile.

Written for the forms that were kept; every path is relative to export/, so the folder can be moved.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.core.files import read_json, write_text
from burnish.deploy.adapter_form import FILE as ADAPTER_FILE
from burnish.deploy.ollama import modelfile
from burnish.deploy.vllm import BASE, cannot_serve, largest_rank, lora_rank
from burnish.render.renderer import Renderer

SERVE = "serve"
LARGEST_CONTEXT = 8192  # the cache grows with it
# Greedy where a request names no temperature: so it was judged.
GREEDY = json.dumps({"temperature": 0})
VLLM_IMAGE, PYTHON_IMAGE = "vllm/vllm-openai:v0.32.0", "python:3.12-slim"
TGI_IMAGE = "ghcr.io/huggingface/text-generation-inference:3.3.6"


def write_serving(
    out: Path,
    forms: Mapping[str, Mapping[str, Any]],
    *,
    name: str,
    renderer: Renderer,
    context: int,
    base: Path,
    licence: str,
) -> None:
    """Writes what fits the forms that did not fail. `base`: the folder or GGUF file that was trained on."""
    kept = {form: line for form, line in forms.items() if line["status"] != "failed"}
    _write_modelfiles(out, kept, renderer, context, base, licence)
    model = served_name(name)
    commands: dict[str, list[str]] = {}
    if "merged" in kept:
        commands["vllm"] = vllm_arguments("merged", model, context)
    if kept.get("adapter", {}).get("status") == "passed":
        config = read_json(out / "adapter" / "adapter_config.json")
        if not cannot_serve(config):
            on = BASE if (out / BASE).is_dir() else str(base)
            commands["vllm-adapter"] = vllm_arguments(on, model, context, rank=largest_rank(config))
    for file, arguments in commands.items():
        write_text(out / SERVE / f"{file}.sh", script(arguments))
        os.chmod(out / SERVE / f"{file}.sh", 0o755)
    if "merged" in kept:
        write_text(out / SERVE / "compose.yaml", compose(model, context))
        write_text(out / SERVE / "Containerfile", containerfile(model))


def served_name(name: str) -> str:
    """A run's name as a name of a model that every server and shell takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "specialist"


def vllm_arguments(folder: str, model: str, context: int, rank: int = 0) -> list[str]:
    """The command on a folder under export/; with `rank` the adapter on it answers to the name, the base to "base"."""
    line = ["vllm", "serve", folder, "--served-model-name", BASE if rank else model, "--max-model-len",
            str(min(context, LARGEST_CONTEXT)), "--override-generation-config", GREEDY]  # fmt: skip
    if not rank:
        return line
    return [*line, "--enable-lora", "--max-lora-rank", str(lora_rank(rank)), "--lora-modules", f"{model}=adapter"]


def script(arguments: list[str]) -> str:
    """A shell script that runs a command in export/, on the loopback address unless it is told otherwise."""
    return (
        "#!/bin/sh\n"
        "# OpenAI's API on http://127.0.0.1:8000/v1. What is given to this script goes on to vLLM, such as --api-key.\n"
        f'cd "$(dirname "$0")/.." && exec {shlex.join(arguments)} --host 127.0.0.1 --port 8000 "$@"\n'
    )


def compose(model: str, context: int) -> str:
    """compose.yaml: vLLM or TGI on merged/, each behind the loopback address of the machine."""
    command = ["/models/merged", *vllm_arguments("merged", model, context)[3:], "--host", "0.0.0.0"]
    services = {
        "vllm": _service("vllm", VLLM_IMAGE, command, 8000, {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}),
        "tgi": _service(
            "tgi",
            TGI_IMAGE,
            ["--model-id", "/models/merged", "--max-total-tokens", str(min(context, LARGEST_CONTEXT)), "--port", "80"],
            80,
            {"USAGE_STATS": "off"},
        ),
    }
    head = (
        "# docker compose --profile vllm up, or --profile tgi: OpenAI's API on http://127.0.0.1:8000/v1.\n"
        "# The images are the projects' own. This file was not tried: no container engine was at hand. TGI asks for\n"
        "# temperatures above 0: leave the temperature out, it then answers greedily.\n"
    )
    # JSON is YAML, and no name of a model can break out of it.
    return head + json.dumps({"services": services}, indent=2, ensure_ascii=False) + "\n"


def _service(profile: str, image: str, command: list[str], port: int, environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        "image": image,
        "profiles": [profile],
        "command": command,
        "volumes": ["..:/models:ro"],
        "ports": [f"127.0.0.1:8000:{port}"],
        "environment": {"HF_HUB_OFFLINE": "1", **environment},
    }


def containerfile(model: str) -> str:
    """Burnish's own server with the merged folder in it, for a user without rights."""
    folder = json.dumps(f"/models/{model}")
    return (
        "# docker build -f serve/Containerfile -t specialist . (in export/), then\n"
        "# docker run -p 127.0.0.1:8000:8000 -e BURNISH_API_KEY=… specialist\n"
        "# This file was not tried: no container engine was at hand.\n"
        f"FROM {PYTHON_IMAGE}\n"
        "RUN pip install --no-cache-dir burnish && useradd --create-home burnish\n"
        f"COPY --chmod=a+rX merged {folder}\n"
        "USER burnish\n"
        "ENV HF_HUB_OFFLINE=1\n"
        "EXPOSE 8000\n"
        f'CMD ["burnish", "serve", "--model", {folder}, "--host", "0.0.0.0", "--port", "8000"]\n'
    )


def _write_modelfiles(
    out: Path, kept: Mapping[str, Mapping[str, Any]], renderer: Renderer, context: int, base: Path, licence: str
) -> None:
    """One for the first GGUF, and one for the adapter on the base's own file."""
    files = [line["file"] for form, line in kept.items() if form.startswith("gguf-")]
    if files:
        write_text(out / "Modelfile", modelfile(files[0], renderer, context, licence=licence))
    if base.is_file() and "adapter-gguf" in kept:
        text = modelfile(str(base), renderer, context, adapter=ADAPTER_FILE, licence=licence)
        write_text(out / ("Modelfile.adapter" if files else "Modelfile"), text)
