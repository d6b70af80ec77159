"""Help, the doctor and a recipe's check start without torch."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HEAVY = ("torch", "transformers", "peft", "polars", "sklearn", "scipy", "sacrebleu", "tokenizers", "safetensors")
BLOCK = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}));"  # an import of a module that is None raises


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCK + code, *arguments], capture_output=True, text=True, timeout=60)


def test_the_block_blocks() -> None:
    assert "ModuleNotFoundError" in run("import torch").stderr


def test_the_package_is_imported_without_torch() -> None:
    done = run("import burnish; print(burnish.__version__)")
    assert done.returncode == 0, done.stderr


def test_help_is_shown_without_torch() -> None:
    code = "from burnish.cli.main import main; sys.argv = ['burnish', *sys.argv[1:]]; main()"
    for arguments in (["--help"], ["run", "--help"], ["train", "--help"]):
        done = run(code, *arguments)
        assert done.returncode == 0, done.stderr
        assert "burnish" in done.stdout


def test_a_recipe_is_checked_without_torch(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("model: smollm2-135m\ndata: rows.jsonl\ntrain: {epochs: 2}\nexport: [merged]\n")
    code = "from pathlib import Path; from burnish.recipe.recipe import read_recipe;"
    done = run(f"{code} print(read_recipe(Path(sys.argv[1]))[0].train.epochs)", str(recipe))
    assert done.stdout == "2.0\n", done.stderr
    recipe.write_text("model: smollm2-135m\ndata: rows.jsonl\ntrain: {epoch: 2}\n")
    assert "did you mean `epochs`?" in run(f"{code} read_recipe(Path(sys.argv[1]))", str(recipe)).stderr


def test_help_is_quick() -> None:
    """Half a second on a quiet machine; three times that here, since the machines of tests are noisy."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "burnish", "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
        if seconds[-1] < 1.5:
            return
    raise AssertionError(f"burnish --help took {min(seconds):.2f} s")
