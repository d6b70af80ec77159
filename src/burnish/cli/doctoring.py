"""`burnish doctor`: what is missing on this machine, and the command that mends it. Starts without torch."""

from __future__ import annotations

import importlib.util
import os
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from burnish.core import hardware
from burnish.model.bundled import BUNDLED, bundled_path

OPTIONAL = {
    "xllamacpp": ("checks exported GGUF files in llama.cpp", "pip install 'burnish[llamacpp]'"),
    "bitsandbytes": ("keeps a base in NF4 or FP4 (model.weights)", "pip install 'burnish[quant]'"),
    "model_signing": ("signs exports with a key of yours", "pip install 'burnish[sign]'"),
}
# Programs on the PATH, or where these variables say; optimum only there.
PROGRAMS = {
    "vllm": ("BURNISH_VLLM", "checks exported folders and adapters in vLLM, from an environment of its own"),
    "llama-quantize": ("BURNISH_LLAMA_QUANTIZE", "writes K-quants"),
    "optimum": ("BURNISH_OPTIMUM", "writes ONNX, from an environment of its own (docs/export-to-onnx.md)"),
}


def examine() -> None:
    """One line a finding: ok, or what to do."""
    for line in findings():
        print(line)


def findings() -> list[str]:
    """All lines that `doctor` prints."""
    machine = hardware.describe()
    lines = [f"ok       {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"]
    bf16 = "bfloat16 products" if machine["fast_bf16"] else "float32 products (bfloat16 would be slower here)"
    lines.append(f"ok       this processor trains with {bf16}")
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    lines.append(f"{'ok      ' if free > 5 else 'warning '} {free:.0f} GiB free here")
    lines += [_package(line) for line in requires("burnish") or [] if "extra ==" not in line]
    for name, (use, command) in OPTIONAL.items():
        present = importlib.util.find_spec(name) is not None
        lines.append(f"ok       {name} {version(name)}" if present else f"optional {name} {use}: {command}")
    lines += [_program(name, variable, use) for name, (variable, use) in PROGRAMS.items()]
    lines.append(_compiler())
    for name in BUNDLED:
        path = bundled_path(name)
        lines.append(f"ok       {name} is in the cache" if path else f"optional {name}: burnish fetch {name}")
    return lines


def _compiler() -> str:
    if found := hardware.cpp_compiler():
        return f"ok       {found}, for train.compile"
    return "optional a C++ compiler, for train.compile: apt install g++ python3-dev"


def _program(name: str, variable: str, use: str) -> str:
    found = shutil.which(os.environ.get(variable) or name)
    return f"ok       {name}: {found}" if found else f"optional {name} {use}: put it on the PATH, or set {variable}"


def _package(requirement: str) -> str:
    name = requirement.split(">")[0].split("<")[0].split("=")[0].split(";")[0].strip()
    try:
        return f"ok       {name} {version(name)}"
    except PackageNotFoundError:
        return f"missing  {name}: pip install '{requirement}'"
