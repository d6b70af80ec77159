from __future__ import annotations

import pytest
from pydantic import ValidationError

from burnish.evals.settings import EvaluateSettings


def test_auto_stands_for_no_number() -> None:
    settings = EvaluateSettings.model_validate({"items": "auto", "examples": "auto", "max_new_tokens": "auto"})
    assert settings == EvaluateSettings()
    assert settings.items is None


def test_settings_survive_their_own_json() -> None:
    settings = EvaluateSettings.model_validate({"opponents": ["prompted"], "items": 30, "retention": "short"})
    assert EvaluateSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    "wrong", [{"opponents": []}, {"opponents": ["base", "base"]}, {"items": 0}, {"examples": -1}, {"retention": "on"}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EvaluateSettings.model_validate(wrong)


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in EvaluateSettings.model_fields.values())
