"""The single rules, each on its own."""

from __future__ import annotations

from typing import Any

import pytest

from burnish.recipe.imports.assemble import Assumption, assume, finish, without_conflicts
from burnish.recipe.imports.contract import Given, Note
from burnish.recipe.imports.datasets import address, joined, located
from burnish.recipe.imports.rules import is_like, off, only, to, translate
from burnish.recipe.imports.training import Batch, Warmup, clip, evaluate_every, precision, scheduler, steps
from burnish.recipe.imports.values import flag, number, whole, words

BATCH = Batch("micro", "accumulate", 8, lambda given: bool(given.values.get("pack")))


def sets(notes: list[Note]) -> dict[str, Any]:
    return {target: value for note in notes for target, value in note.sets.items()}


def test_numbers_may_stand_in_quotes_but_not_be_truth_values() -> None:
    assert number("2e-4") == 2e-4
    assert whole("8") == 8
    for bad in (True, "fast", None, [1], "nan", 1e400, "9" * 400, 1.5):
        with pytest.raises(ValueError, match="expected"):
            whole(bad)


def test_truth_values_come_in_all_spellings() -> None:
    assert [flag(value) for value in (True, "yes", "off", "False", 1)] == [True, True, False, False, True]
    with pytest.raises(ValueError, match="true or false"):
        flag("perhaps")


def test_names_come_as_a_list_or_with_commas() -> None:
    assert words("a, b") == words(["a", "b"]) == ["a", "b"]
    with pytest.raises(ValueError, match="list"):
        words(3)


def test_a_truth_value_is_no_number() -> None:
    assert is_like(1, 1.0)
    assert not is_like(True, 1)
    assert is_like("CAUSAL_LM", "causal_lm")


def test_a_switch_matters_only_where_it_is_on() -> None:
    rule = off("no such thing")
    assert rule("k", "false", Given({}))[0].outcome == "ignored"
    assert rule("k", 5, Given({}))[0].outcome == "missing"
    assert only(0.9, otherwise="no")("k", 0.95, Given({}))[0].outcome == "missing"


def test_an_empty_key_is_said_to_be_empty_and_a_strange_one_to_be_unknown() -> None:
    notes = translate(Given({"rate": None, "raet": None}), {"rate": to("train.x", number)}, "T")
    assert [(note.outcome, note.text) for note in notes] == [
        ("ignored", "left empty"),
        ("unknown", "not a key of T that Burnish knows; did you mean `rate`?"),
    ]


def test_rows_of_an_update_are_the_product_over_devices() -> None:
    given = Given({"micro": 2, "accumulate": "4"}, devices=3)
    assert sets(BATCH.rule("micro", 2, given)) == {"train.rows_per_update": 2 * 4 * 3}
    assert BATCH.rows(Given({"accumulate": 2})) == 8 * 2
    assert BATCH.rule("micro", 2, Given({"micro": 2, "pack": True}))[0].outcome == "changed"


def test_a_product_that_cannot_be_made_names_the_key_at_fault() -> None:
    assert "`accumulate`" in BATCH.rule("micro", 2, Given({"micro": 2, "accumulate": "auto"}))[0].text


@pytest.mark.parametrize(
    ("values", "key", "share"),
    [
        ({"warmup_ratio": 0.1}, "warmup_ratio", 0.1),
        ({"warmup_steps": 0.03}, "warmup_steps", 0.03),  # below one it is a share there, too
        ({"warmup_steps": 50, "max_steps": 1000}, "warmup_steps", 0.05),
        ({"warmup_steps": 0}, "warmup_steps", 0),
        ({"warmup_steps": 50}, "warmup_steps", None),
        ({"warmup_steps": 0, "warmup_ratio": 0.1}, "warmup_steps", None),
        ({"warmup_ratio": 0.1, "lr_scheduler_type": "constant"}, "warmup_ratio", None),
    ],
)
def test_warm_up_is_a_share_of_all_updates(values: dict[str, Any], key: str, share: float | None) -> None:
    found = sets(Warmup().rule(key, values[key], Given(values)))
    assert found == ({} if share is None else {"train.warmup": share})


def test_a_constant_rate_has_no_warm_up_unless_its_name_says_so() -> None:
    assert sets(scheduler("s", "constant", Given({}))) == {"train.schedule": "constant", "train.warmup": 0}
    assert sets(scheduler("s", "constant_with_warmup", Given({}))) == {"train.schedule": "constant"}
    assert scheduler("s", "cosine", Given({}))[0].outcome == "changed"
    assert scheduler("s", "rex", Given({}))[0].outcome == "missing"


def test_no_clipping_cannot_be_had() -> None:
    assert sets(clip("c", 0, Given({}))) == {}
    assert sets(clip("c", "0.3", Given({}))) == {"train.clip": 0.3}


def test_a_share_of_unknown_updates_has_no_counterpart() -> None:
    assert sets(evaluate_every("e", 0.25, Given({}))) == {}
    assert sets(evaluate_every("e", 0.25, Given({"max_steps": 40}))) == {"train.evaluate_every": 10}
    assert sets(steps("s", -1, Given({}))) == {}


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ({"bf16": True}, "bfloat16"),
        ({"bf16": "auto"}, "auto"),
        ({"bf16": False}, "float32"),
        ({"bf16": False, "fp16": False}, "float32"),
        ({"bf16": False, "fp16": True}, "auto"),
        ({"fp16": False}, None),
        ({"float32": True}, "float32"),
    ],
)
def test_precision(values: dict[str, Any], dtype: str | None) -> None:
    notes = [note for key, value in values.items() for note in precision(key, value, Given(values))]
    assert sets(notes) == ({} if dtype is None else {"model.dtype": dtype})


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("org/name", "hf://datasets/org/name"),
        ("imdb", "hf://datasets/imdb"),
        ("rows.jsonl", "rows.jsonl"),
        ("data/rows.csv", "data/rows.csv"),
        ("./folder", "./folder"),
        ("a/b/c", "a/b/c"),
        ("https://host/rows", "https://host/rows"),
    ],
)
def test_files_stay_and_other_names_are_datasets_of_the_hub(path: str, found: str) -> None:
    assert address(path) == found


def test_one_layout_counts_only_where_all_datasets_have_it() -> None:
    def entry(name: str, layout: str, part: str = "data.train") -> list[Note]:
        return [
            located("path", name, [name], part),
            Note("type", layout, "translated", "", {"data.format": layout}),
        ]

    same = joined([entry("a.csv", "alpaca"), entry("b.csv", "alpaca")], "data.train")
    assert sets(same) == {"data.train": ["a.csv", "b.csv"], "data.format": "alpaca"}
    other = joined([entry("a.csv", "alpaca"), entry("b.csv", "text")], "data.train")
    assert sets(other) == {"data.train": ["a.csv", "b.csv"]}
    dev = joined([entry("a.csv", "alpaca", "data.dev"), entry("b.csv", "alpaca", "data.dev")], "data.dev")
    assert sets(dev) == {"data.dev": "a.csv"}


def test_of_two_keys_for_one_setting_the_earlier_counts() -> None:
    first, second = Note("a", 1, "translated", "", {"train.seed": 1}), Note("b", 2, "translated", "", {"train.seed": 2})
    kept = without_conflicts([first, second])
    assert sets(kept) == {"train.seed": 1}
    assert kept[1].text == "`a` says it otherwise, and counts"


def test_what_burnish_refuses_is_taken_out_and_said() -> None:
    notes = [
        Note("m", "x", "translated", "", {"model.name": "x"}),
        Note("d", "y", "translated", "", {"data.train": "y"}),
        Note("r", 5000, "translated", "", {"adapt.r": 5000}),
        Note("b", 0.1, "translated", "", {"objective.beta": 0.1}),
    ]
    done = finish("T", notes)
    assert done.recipe == {"model": {"name": "x"}, "data": {"train": "y"}}
    texts = {note.key: note.text for note in done.notes if note.outcome == "missing"}
    assert texts["r"].startswith("adapt.r: input should be less than or equal to 1024")
    assert texts["b"].startswith("objective.beta: does not apply to `objective: sft`")


def test_without_data_there_is_no_recipe() -> None:
    done = finish("T", [Note("m", "x", "translated", "", {"model.name": "x"})])
    assert done.blocked == "the file names no data to train on: give it with --data"


def test_a_default_is_added_only_where_nothing_says_it() -> None:
    usual = Assumption("epochs", "train.epochs", 3, unless=("turns",))
    assert sets(assume([], Given({}), [usual])) == {"train.epochs": 3}
    assert assume([], Given({"epochs": "bad"}), [usual]) == []
    assert assume([], Given({"turns": 1}), [usual]) == []
    assert len(assume([Note("x", 1, "translated", "", {"train.epochs": 1})], Given({}), [usual])) == 1
