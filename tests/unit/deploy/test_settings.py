"""Names of forms."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from burnish.deploy.settings import ExportSettings


def test_short_names_are_spelt_out_and_doubles_dropped() -> None:
    assert ExportSettings(forms=["merged", "gguf", "gguf-f16"]).forms == ("merged", "gguf-f16")
    assert ExportSettings(forms=[]).forms == ()


@pytest.mark.parametrize("forms", [["tflite"], "merged", [3], None])
def test_other_forms_are_refused(forms: object) -> None:
    with pytest.raises(ValidationError):
        ExportSettings(forms=forms)
