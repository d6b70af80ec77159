"""Help, the doctor and a recipe's check start without torch, and training without what it never uses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tiny import write_gguf_model

HEAVY = ("torch", "transformers", "peft", "polars", "sklearn", "scipy", "sacrebleu", "tokenizers", "safetensors")
COMPILER = ("torch._dynamo", "torch._inductor", "sympy")  # a second and a half that only `train.compile` needs
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


SFT_ROW = {"prompt": "{} and one?", "completion": "it is {}, and one more"}
DPO_ROW = {"prompt": "{} and one?", "chosen": "it is {}, and one more", "rejected": "no, {}"}


@pytest.mark.parametrize(("objective", "row"), [("sft", SFT_ROW), ("dpo", DPO_ROW)])
def test_training_never_imports_the_compiler(
    tmp_path: Path, tiny_folder: Path, objective: str, row: dict[str, str]
) -> None:
    """The whole command, from a GGUF file and rows that are not prepared to the weights, measuring and saving."""
    write_gguf_model(tmp_path / "tiny.gguf", tiny_folder)
    rows = [{key: text.format(number) for key, text in row.items()} for number in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    (tmp_path / "recipe.yaml").write_text(
        f"{{model: ./tiny.gguf, data: rows.jsonl, objective: {objective}, train: {{steps: 3}}}}"
    )
    code = (
        "import atexit, sys; from burnish.cli.main import main;"
        f"atexit.register(lambda: print('imported:', [name for name in {COMPILER!r} if name in sys.modules]));"
        "sys.argv = ['burnish', 'train', 'recipe.yaml', '--out', 'runs', '--name', 'run']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "runs" / "run" / "training.json").is_file()
    assert "imported: []" in done.stdout
