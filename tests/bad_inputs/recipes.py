"""Recipes that are not what a recipe is: tags, bombs, names of no settings, numbers out of range."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

from tests.bad_inputs.case import NAME, Case, Made, Refused, good_lines

PLAIN = "model: {model}\ndata: {{train: rows.jsonl}}\n"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXTS: Mapping[str, tuple[str, list[str]]] = {
    "an object of Python": ("model: !!python/object/apply:os.system ['touch canary']\n", [":1", "python"]),
    "a name of Python": ("model: !!python/name:os.system\n", [":1"]),
    "a tag of its own": ("model: !evil x\n", [":1", "evil"]),
    "a billion laughs": (LAUGHS, ["aliases", ":2"]),
    "a reference to the environment": (PLAIN + 'train: {{seed: "${{oc.env:HF_TOKEN}}"}}\n', ["train.seed", ":3"]),
    "a key that does not exist": (PLAIN + "trian: {{steps: 2}}\n", ["trian", ":3", "train"]),
    "a key inside that does not exist": (PLAIN + "train: {{step: 2}}\n", ["train.step", "steps"]),
    "a key twice": (PLAIN + "train: {{steps: 2}}\ntrain: {{steps: 3}}\n", ["twice", ":4"]),
    "a rate that is no number": (PLAIN + "train: {{learning_rate: .nan}}\n", ["train.learning_rate", ":3"]),
    "a rate without end": (PLAIN + "train: {{learning_rate: .inf}}\n", ["train.learning_rate"]),
    "a rate of 1e309": (PLAIN + "train: {{learning_rate: 1e309}}\n", ["train.learning_rate"]),
    "a rate below zero": (PLAIN + "train: {{learning_rate: -1}}\n", ["train.learning_rate"]),
    "an update of no rows": (PLAIN + "train: {{rows_per_update: 0}}\n", ["train.rows_per_update"]),
    "a number of 5,000 digits": (PLAIN + "train: {{steps: " + "9" * 5000 + "}}\n", []),
    "a number as a list": (PLAIN + "train: {{steps: [2]}}\n", ["train.steps"]),
    "a rank of a thousand million": (PLAIN + "adapt: {{type: lora, r: 1000000000}}\n", ["adapt", "r"]),
    "a kind that does not exist": (PLAIN + "adapt: {{type: ../../evil}}\n", ["adapt"]),
    "brackets without end": ("[" * 20_000, []),
    "no bytes": ("", ["empty"]),
    "a list": ("- a\n- b\n", ["mapping"]),
    "a text": ("just words\n", ["mapping"]),
    "keys that are numbers": (PLAIN + "7: x\n", []),
    "a control character": (PLAIN + 'name: "a\x07b"\n', []),
    "two documents": (PLAIN + "---\nmodel: other\n", []),
    "tabs in place of spaces": ("model:\n\tname: x\n", [":2"]),
}


def recipe(content: str, words: list[str], folder: Path, rng: Random) -> Made:
    (folder / NAME).write_bytes(b"\n".join(good_lines()))
    content = content.replace("{model}", str(folder.parents[1] / "model")).replace("{{", "{").replace("}}", "}")
    (folder / "recipe.yaml").write_text(content, "utf-8")
    verb = rng.choice(["prepare", "train", "run", "plan"])
    return Made("", Refused(words, 2), command=(verb, "{data}/recipe.yaml", "--out", "{runs}", "--name", "r"))


CASES = tuple(Case(f"a recipe with {what}", partial(recipe, *case)) for what, case in TEXTS.items())
