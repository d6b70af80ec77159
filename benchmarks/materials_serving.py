"""The model of `benchmarks.serving` in the forms that the sides read: `folder` in bf16, `model-f16.gguf`.

python -m benchmarks.materials_serving FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from benchmarks.materials import MODEL, write_model
from burnish.deploy.gguf_metadata import model_metadata, rotary_divisors
from burnish.deploy.gguf_write import write_gguf
from burnish.model.checkpoint import read_checkpoint
from burnish.model.load import build_decoder
from burnish.model.resolve import resolve
from burnish.render.renderer import make_renderer


def write_f16(path: Path) -> None:
    """The bundled model's weights in float16, as llama.cpp reads them."""
    made = read_checkpoint(resolve(MODEL, base=Path.cwd()))
    renderer = make_renderer(made.tokenizer, made.generation)
    config = build_decoder(made.config, made.tensors, dtype=torch.float32, device=torch.device("cpu")).config
    facts = model_metadata(made, config, name=MODEL, template=renderer.template, stop_ids=renderer.stop_ids)
    unfinished = path.with_name(path.name + ".part")
    write_gguf(unfinished, facts, made.tensors, config, "f16", rotary_divisors(config))
    unfinished.rename(path)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "folder").is_dir():
        write_model(folder / "folder")
    if not (folder / "model-f16.gguf").is_file():
        write_f16(folder / "model-f16.gguf")


if __name__ == "__main__":
    main()
