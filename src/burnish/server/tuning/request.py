"""The body of POST /v1/fine_tuning/jobs: a closed schema, whose errors read as OpenAI's do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from burnish.server.api_error import ApiError
from burnish.server.tuning.refusal import refusal

Auto: TypeAlias = Literal["auto"]
Whole: TypeAlias = Annotated[int, Field(strict=True)]
SUFFIX, KEYS, KEY, VALUE = 64, 16, 64, 512  # OpenAI's limits, in characters; KEYS in number


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Hyperparameters(_Closed):
    """What may be said of a supervised training."""

    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] | None = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] | None = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, le=100)] | None = "auto"


class PairHyperparameters(Hyperparameters):
    """And of one on preferences."""

    beta: Auto | Annotated[float, Field(gt=0, le=2)] | None = "auto"


class Supervised(_Closed):
    """`method.supervised`."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Preferences(_Closed):
    """`method.dpo`."""

    hyperparameters: PairHyperparameters = PairHyperparameters()


class Method(_Closed):
    """`method`; reinforcement is read so that it can be refused by its name."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Preferences | None = None
    reinforcement: dict[str, Any] | None = None


def _short(metadata: dict[str, str]) -> dict[str, str]:
    for key, value in metadata.items():
        if len(key) > KEY or len(value) > VALUE:
            raise ValueError(f"keys have at most {KEY} characters and values {VALUE}")
    return metadata


class JobRequest(_Closed):
    """All that a client may say of a job. `integrations` are taken and not used: nothing is sent from this machine."""

    model: Annotated[str, Field(min_length=1, max_length=256)]
    training_file: Annotated[str, Field(min_length=1, max_length=256)]
    validation_file: Annotated[str, Field(max_length=256)] | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    suffix: Annotated[str, Field(max_length=SUFFIX)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    metadata: Annotated[dict[str, str], Field(max_length=KEYS), AfterValidator(_short)] | None = None
    integrations: list[dict[str, Any]] | None = None


def read_request(body: Any) -> JobRequest:
    """Raises ApiError, naming the parameter that is wrong, as OpenAI's clients show it."""
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_type")
    try:
        request = JobRequest.model_validate(body)
    except ValidationError as error:
        raise refusal(error, body) from error
    method_of(request)
    return request


def method_of(request: JobRequest) -> dict[str, Any]:
    """`method` as the job keeps it: {type, TYPE: {hyperparameters}}, also of a request in the older form.

    Raises ApiError: reinforcement, a method beside its own name, or hyperparameters that are said twice.
    """
    asked = request.method or Method(type="supervised")
    if asked.type == "reinforcement":
        raise ApiError(400, "The method 'reinforcement' is not available on this server. Supported values are: "
                       "'supervised' and 'dpo'.", param="method.type", code="invalid_value")  # fmt: skip
    given: Mapping[str, Supervised | Preferences | dict[str, Any] | None] = {
        "supervised": asked.supervised, "dpo": asked.dpo, "reinforcement": asked.reinforcement
    }  # fmt: skip
    if others := [name for name, value in given.items() if value is not None and name != asked.type]:
        raise ApiError(400, f"'method.{others[0]}' does not belong to the method '{asked.type}'.",
                       param=f"method.{others[0]}", code="invalid_value")  # fmt: skip
    chosen = asked.supervised or asked.dpo
    older = request.hyperparameters
    if older is not None and chosen is not None and chosen.hyperparameters.model_dump() != _with_all(older, chosen):
        raise ApiError(400, f"'hyperparameters' and 'method.{asked.type}.hyperparameters' say different things: give "
                       "the latter alone.", param="hyperparameters", code="invalid_value")  # fmt: skip
    plain = Preferences() if asked.type == "dpo" else Supervised()
    hyperparameters = (chosen or plain).hyperparameters.model_dump()
    if chosen is None and older is not None:
        hyperparameters |= older.model_dump()
    return {
        "type": asked.type,
        asked.type: {"hyperparameters": {k: "auto" if v is None else v for k, v in hyperparameters.items()}},
    }


def _with_all(older: Hyperparameters, chosen: Supervised | Preferences) -> dict[str, Any]:
    """What the method would say if it said the same as the older form."""
    return chosen.hyperparameters.model_dump() | older.model_dump()
