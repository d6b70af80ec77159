import pytest
from pydantic import ValidationError

from burnish.data.mix.settings import MixSettings, SourceSettings


def test_by_default_nothing_is_mixed() -> None:
    mix = MixSettings()
    assert (mix.temperature, mix.balance, mix.most_uses) == (1.0, "off", 4)
    assert SourceSettings(file="a.jsonl").weight == 1.0


@pytest.mark.parametrize("values", [{"temperature": 0.5}, {"most_uses": 0}, {"balance": "even"}, {"weights": {}}])
def test_what_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MixSettings.model_validate(values)


@pytest.mark.parametrize("values", [{"file": ""}, {"file": "a", "weight": 0}, {"weight": 1}, {"file": "a", "name": ""}])
def test_a_source_has_a_file_and_a_weight_above_nothing(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SourceSettings.model_validate(values)
