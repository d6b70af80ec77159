from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from burnish.core.errors import RecipeError
from burnish.core.files import sha256_of_file
from burnish.core.settings import Document, build
from burnish.evals.retention_settings import SUITES, RetentionSettings, suite_files, with_suites_from
from burnish.evals.settings import EvaluateSettings


def test_three_words_stand_for_groups() -> None:
    read = RetentionSettings.model_validate
    assert read("auto") == RetentionSettings()
    assert read("auto").suites == SUITES
    assert read("short").size == "short"
    assert (read("off").suites, read("off").drift, read("off").summary) == ((), False, "not checked")


def test_short_forms_are_written_out() -> None:
    settings = RetentionSettings.model_validate({"suites": ["knowledge"], "extra": ["a/my.jsonl"], "lm_eval": ["arc"]})
    assert (settings.extra[0].file, settings.extra[0].suite, settings.lm_eval[0].task) == ("a/my.jsonl", "my", "arc")
    assert settings.names == ["knowledge", "my", "arc"]
    assert RetentionSettings.model_validate(settings.model_dump(mode="json")) == settings
    assert settings.summary == "knowledge, my, arc, drift"


@pytest.mark.parametrize(
    "wrong",
    [
        "some",
        {"suites": ["knowhow"]},
        {"suites": ["german", "german"]},
        {"extra": ["german.jsonl"]},  # the shipped one of that name is asked too
        {"extra": [{"file": "a.jsonl", "margin": 0}]},
        {"extra": ["task.jsonl"]},
        {"lm_eval": [{"task": "arc", "items": 0}]},
        {"suite": ["german"]},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        RetentionSettings.model_validate(wrong)


def test_a_mistyped_key_is_told_with_the_nearest() -> None:
    document = Document({"retention": {"suite": ["german"]}}, {("retention", "suite"): 4}, "recipe.yaml")
    with pytest.raises(RecipeError, match=r"retention.suite`(.|\n)*did you mean `suites`"):
        build(EvaluateSettings, document)


def test_files_are_named_from_the_recipe_and_hashed(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"text": "a"}\n')
    settings = RetentionSettings.model_validate({"extra": ["mine.jsonl"], "lm_eval": ["arc_easy", "own.yaml"]})
    found = with_suites_from(settings, tmp_path)
    assert found.extra[0].file == str(tmp_path / "mine.jsonl")
    assert [one.task for one in found.lm_eval] == ["arc_easy", str(tmp_path / "own.yaml")]
    assert suite_files(found) == {"mine": sha256_of_file(tmp_path / "mine.jsonl")}
