import pytest

from burnish.core.errors import RecipeError
from burnish.core.settings import Document, build
from burnish.data.grow.settings import GrowSettings


def test_nothing_is_made_by_default() -> None:
    settings = GrowSettings()
    assert not settings.on
    assert settings.model is None
    assert settings.address is None
    assert not settings.sends_away


def test_a_local_model_is_no_address() -> None:
    settings = GrowSettings(model="models/small.gguf", paraphrase=1)
    assert settings.on
    assert settings.address is None


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:1234/v1"])
def test_rows_stay_on_this_machine_with_a_server_on_loopback(address: str) -> None:
    settings = GrowSettings(model=address, served="m", rewrite="Be brief.", key_env="MY_KEY")
    assert settings.address == address
    assert not settings.sends_away


def test_rows_leave_this_machine_with_any_other_address() -> None:
    assert GrowSettings(model="https://models.example/v1", served="m", paraphrase=1).sends_away


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"paraphrase": 1}, "needs `model`"),
        ({"model": "smollm2-135m"}, "has no effect without"),
        ({"model": "smollm2-135m", "paraphrase": 1, "served": "x"}, "`served` has no effect"),
        ({"model": "smollm2-135m", "paraphrase": 1, "key_env": "MY_KEY"}, "`key_env` has no effect"),
        ({"model": "smollm2-135m", "paraphrase": 1, "documents": "texts"}, "`documents` has no effect"),
        ({"model": "http://127.0.0.1:1/v1", "paraphrase": 1}, "needs `served`"),
        ({"model": "http://", "paraphrase": 1}, "not a valid address"),
        ({"model": "http://host:99999/v1", "paraphrase": 1}, "not a valid address"),
        ({"model": "http://host/v1\r\nX: y", "paraphrase": 1}, "not a valid address"),
        ({"model": "http://host/v1?key=1", "paraphrase": 1}, "must not hold"),
        ({"model": "http://far.example/v1", "paraphrase": 1, "key_env": "MY_KEY"}, "in the open"),
    ],
)
def test_what_does_not_fit_together_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        build(GrowSettings, Document(dict(values)))


@pytest.mark.parametrize(
    "values",
    [
        {"model": "https://far.example/v1", "paraphrase": 1, "key_env": "sk-Canary12345"},
        {"model": "https://me:Canary12345@far.example/v1", "paraphrase": 1},
        {"model": "https://far.example/v1?key=Canary12345", "paraphrase": 1},
    ],
)
def test_a_secret_in_the_recipe_is_not_shown_in_the_error(values: dict[str, object]) -> None:
    with pytest.raises(RecipeError) as refused:
        build(GrowSettings, Document(dict(values)))
    assert "Canary12345" not in str(refused.value)


def test_all_values_written_out_are_the_same_settings() -> None:
    """The run's own recipe.yaml holds `served: null` too."""
    settings = GrowSettings(model="smollm2-135m", paraphrase=1)
    assert GrowSettings.model_validate(settings.model_dump(mode="json")) == settings
