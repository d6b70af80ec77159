"""A script is read, never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import RecipeError
from burnish.recipe.imports.trl_command import Call, logical_lines, plain, read_options, read_script, split


def call(text: str) -> Call:
    found = read_script(text, "run.sh")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("trl sft --lr 1", "sft"),
        ("python trl/scripts/dpo.py --lr 1", "dpo"),
        ("accelerate launch --multi_gpu examples/scripts/run_kto.py --lr 1", "kto"),
        ("torchrun --nproc_per_node 2 -m trl.scripts.reward --lr 1", "reward"),
        ("deepspeed --num_gpus=2 examples/scripts/dpo_online.py --lr 1", "dpo_online"),
        ("uv run --with trl trl grpo --lr 1", "grpo"),
        ("FOO=1 BAR=2 /opt/bin/trl sft --lr 1", "sft"),
        ("cd work && nohup accelerate launch sft_vlm.py --lr 1 > log 2>&1 &", "sft"),
    ],
)
def test_calls_are_found_however_they_are_started(text: str, method: str) -> None:
    assert call(text).method == method
    assert call(text).options["lr"] == 1


@pytest.mark.parametrize("text", ["echo sft", "trl env", "python train.py --lr 1", "ls dpo.py", "", "# trl sft"])
def test_other_commands_are_no_calls(text: str) -> None:
    assert read_script(text, "run.sh") is None


def test_options_take_the_forms_that_argparse_takes() -> None:
    words = split("--a 1 --b=two --flag --lora-r 8 --names q_proj v_proj --steps -1 --json '{\"x\": [1]}'", "")
    options, written = read_options(words, "")
    assert options == {"a": 1, "b": "two", "flag": True, "lora_r": 8, "names": ["q_proj", "v_proj"], "steps": -1,
                       "json": {"x": [1]}}  # fmt: skip
    assert written["lora_r"] == "--lora-r"


def test_an_option_that_stands_twice_is_refused() -> None:
    with pytest.raises(RecipeError, match="twice"):
        call("trl sft --lr 1 --lr 2")


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line() -> None:
    with pytest.raises(RecipeError) as error:
        call("echo hello\ntrl sft --eos_token '<|end|>")
    assert error.value.where == "run.sh:2"


def test_lines_that_end_in_a_backslash_go_on() -> None:
    assert logical_lines("# no\na \\\n  b\n\nc") == [(2, "a    b"), (5, "c")]


def test_plain_variables_of_the_script_are_put_in() -> None:
    found = call('A=org/m\nexport B="x y"\ntrl sft --model_name_or_path ${A} --b "$B" --c $C')
    assert found.options == {"model_name_or_path": "org/m", "b": "x y", "c": "$C"}


def test_what_the_shell_would_run_is_text(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    found = call(f"trl sft --a $(touch {touched}) --b `touch {touched}` --c 1; touch {touched}")
    assert found.options["a"] == f"$(touch {touched})"
    assert found.options["c"] == 1
    assert found.others == {"line 1": f"touch {touched}"}
    assert not touched.exists()


def test_a_second_call_stands_among_the_other_lines() -> None:
    found = call("trl sft --lr 1\ntrl dpo --lr 2")
    assert found.options == {"lr": 1}
    assert found.others == {"line 2": "trl dpo --lr 2"}


@pytest.mark.parametrize(
    ("text", "value"), [("2e-4", 2e-4), ("-1", -1), ("True", True), ("none", "none"), ("1e", "1e"), ("[1", "[1")]
)
def test_values_are_what_json_or_words_make_of_them(text: str, value: object) -> None:
    assert plain(text) == value
