from __future__ import annotations

import pytest
from pydantic import ValidationError

from burnish.data.private.settings import PrivateSettings


def test_nothing_is_changed_unless_it_is_asked_for() -> None:
    assert PrivateSettings().action == "report"


def test_names_need_a_model_and_a_model_needs_the_kind() -> None:
    with pytest.raises(ValidationError, match="names_model"):
        PrivateSettings(kinds=["name"])
    with pytest.raises(ValidationError, match="names_model"):
        PrivateSettings(names_model="ner")
    assert PrivateSettings(kinds=["email", "name"], names_model="ner").names_model == "ner"


def test_a_region_is_two_capital_letters() -> None:
    with pytest.raises(ValidationError):
        PrivateSettings(regions=["Germany"])
