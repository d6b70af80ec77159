import pytest
from pydantic import ValidationError

from burnish.data.settings import DataSettings


def test_one_file_is_enough() -> None:
    assert DataSettings(train="tickets.jsonl").train_files == ["tickets.jsonl"]
    assert DataSettings(train=["a.csv", "b.csv"]).train_files == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": ""},
        {"train": []},
        {"train": "a", "test_share": 0.0},
        {"train": "a", "test_share": 0.6},
        {"train": "a", "rows": 0},
        {"train": "a", "test_rows": 5},
        {"train": "a", "prompt": "q", "template": "{q}"},
        {"train": "a", "format": "columns"},
        {"train": "a", "format": "text", "prompt": "q"},
        {"train": "a", "trian": "b"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DataSettings.model_validate(wrong)


def test_every_setting_has_its_text() -> None:
    assert all(field.description for field in DataSettings.model_fields.values())


def test_a_file_whose_name_is_no_text_is_refused() -> None:
    """It cannot be written into a recipe."""
    for part in ({"train": "caf\udce9.jsonl"}, {"train": "a", "test": "\udce9"}, {"train": ["a", "\udce9"]}):
        with pytest.raises(ValueError, match="no text"):
            DataSettings.model_validate(part)
