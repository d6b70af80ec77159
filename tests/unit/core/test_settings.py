from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from burnish.core.errors import RecipeError
from burnish.core.settings import Settings, build, parse_yaml, read_yaml


class Adapter(Settings):
    type: Literal["lora"] = "lora"
    rank: int = Field(16, ge=1, le=64)


class Whole(Settings):
    type: Literal["full"] = "full"
    layers: int = Field(4, ge=1)


class Source(Settings):
    path: str
    weight: float = Field(1.0, gt=0)


class Training(Settings):
    rate: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    epochs: float = Field(3.0, gt=0)
    rows: int | None = Field(None, ge=1)


class Recipe(Settings):
    name: str = "run"
    train: Training = Training()
    adapt: Annotated[Adapter | Whole, Field(discriminator="type")] = Adapter()
    sources: tuple[Source, ...] = ()


def recipe(text: str) -> Recipe:
    return build(Recipe, parse_yaml(text, "r.yaml"))


def refused(text: str) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        recipe(text)
    return caught.value


def test_a_recipe_is_read() -> None:
    made = recipe("name: one\ntrain: {rate: 3e-4, rows: 7}\nadapt: {type: full, layers: 2}\nsources: [{path: a}]\n")
    assert made.train == Training(rate=3e-4, rows=7)
    assert made.adapt == Whole(layers=2)
    assert made.sources == (Source(path="a"),)


@pytest.mark.parametrize(
    ("text", "key", "line", "near"),
    [
        ("nmae: x\n", "nmae", 1, "did you mean `name`?"),
        ("name: x\ntrain:\n  epochs: 1\n  epoch: 2\n", "train.epoch", 4, "did you mean `epochs`?"),
        ("adapt:\n  type: lora\n  rnk: 8\n", "adapt.rnk", 3, "did you mean `rank`?"),
        ("adapt:\n  type: full\n  layer: 8\n", "adapt.layer", 3, "did you mean `layers`?"),
        ("adapt:\n  type: full\n  rank: 8\n", "adapt.rank", 3, "valid keys here: layers, type"),
        ("sources:\n- path: a\n- path: b\n  wieght: 2\n", "sources.1.wieght", 4, "did you mean `weight`?"),
        ("sources: [{pth: a}]\n", "sources.0.pth", 1, "did you mean `path`?"),
        ("zzz: 1\n", "zzz", 1, "valid keys here: adapt, name, sources, train"),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest_valid_one(
    text: str, key: str, line: int, near: str
) -> None:
    error = refused(text)
    assert error.what == f"Unknown key `{key}`."
    assert error.where == f"r.yaml:{line}"
    assert error.next_move == near


def test_a_key_that_stands_twice_is_refused_with_both_lines() -> None:
    error = refused("train:\n  epochs: 1\n  rows: 2\n  epochs: 3\n")
    assert "`epochs` stands twice" in error.what
    assert (error.where, error.seen) == ("r.yaml:4", "first on line 2")


@pytest.mark.parametrize(
    ("text", "key", "line", "why", "seen"),
    [
        ("train: {epochs: 0}", "train.epochs", 1, "greater than 0", "0"),
        ("train:\n  rate: -1\n", "train.rate", 2, "greater than 0", "-1"),
        ("train:\n  rate: .nan\n", "train.rate", 2, "finite", "nan"),
        ("train:\n  rate: 'nan'\n", "train.rate", 2, "finite", "'nan'"),
        ("train:\n  epochs: .inf\n", "train.epochs", 2, "finite", "inf"),
        ("train:\n  rows: 1.5\n", "train.rows", 2, "integer", "1.5"),
        ("train:\n  rate: fast\n", "train.rate", 2, "should be 'auto'", "'fast'"),
        ("adapt:\n  rank: 65\n  type: lora\n", "adapt.rank", 2, "less than or equal to 64", "65"),
        ("adapt:\n  type: lorra\n", "adapt", 1, "'lora', 'full'", "{'type': 'lorra'}"),
        ("train: 5\n", "train", 1, "dictionary", "5"),
        ("sources:\n- path: a\n  weight: 0\n", "sources.0.weight", 3, "greater than 0", "0"),
        ("name: 2024-01-01\n", "name", 1, "string", "datetime.date(2024, 1, 1)"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_may_stand_there(
    text: str, key: str, line: int, why: str, seen: str
) -> None:
    error = refused(text)
    assert error.what.startswith(f"`{key}` is wrong: ")
    assert why in error.what
    assert (error.where, error.seen) == (f"r.yaml:{line}", seen)


def test_off_and_no_are_words_and_true_and_false_are_not() -> None:
    values = parse_yaml("a: off\nb: no\nc: On\nd: YES\ne: true\nf: False\ng: null\nh: 5\ni: ~\n", "r.yaml").values
    assert list(values.values()) == ["off", "no", "On", "YES", True, False, None, 5, None]


def test_a_missing_key_is_named_with_the_line_of_its_group() -> None:
    error = refused("name: x\nsources:\n- weight: 2\n")
    assert error.what == "`sources.0.path` is missing."
    assert error.where == "r.yaml:2"


def test_a_mistyped_key_is_told_before_the_key_that_is_missing_because_of_it() -> None:
    assert refused("sources: [{paht: a}]\n").next_move == "did you mean `path`?"


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("name: &a x\nother: *a\n", "aliases", 2),
        ("name: x\ntrain: !!python/object/apply:os.system [ls]\n", "the tag tag:yaml.org", 2),
        ("name: !secret x\n", "the tag !secret", 1),
        ("name: !!str 5\n", "the tag tag:yaml.org", 1),
        ("name: [x\n", "not valid YAML", 2),
        ("name: x\n\tepochs: 1\n", "not valid YAML", 2),
        ("a: 1\n---\nb: 2\n", "not valid YAML", 2),
    ],
)
def test_what_a_recipe_may_not_hold_is_refused_with_its_line(text: str, what: str, line: int) -> None:
    error = refused(text)
    assert what in str(error)
    assert error.where == f"r.yaml:{line}"


@pytest.mark.parametrize("text", ["", "# a comment\n", "- a\n- b\n", "word", "1: a\n", "\x00", "[" * 1000])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_yaml(text, "r.yaml")


def test_a_file_that_is_absent_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="cannot be read"):
        read_yaml(tmp_path / "binary.yaml")
    with pytest.raises(RecipeError, match="cannot be read"):
        read_yaml(tmp_path)


def test_settings_stay_as_they_were_made() -> None:
    made: Any = Recipe()
    with pytest.raises(ValueError, match="frozen"):
        made.name = "other"
