"""Who else the specialist must beat: other runs, other models, models at an address, the base with k examples."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, model_validator

from burnish.core.address import ADDRESS, check_address, check_variable, is_elsewhere
from burnish.core.settings import Settings

NAME = Field(
    default=None,
    pattern=r"^[\w(][\w .,:@()+-]{0,79}$",
    description="What this opponent is called in the verdict. Default: told by what it is.",
)
OWN_NAMES = ("base", "prompted", "tuned")
KEYS = ("run", "address", "examples", "model")  # each opponent has one of them, which tells its kind: first come


class RunOpponent(Settings):
    """`{run: tickets-02}`: the specialist of another run that lies beside this one."""

    run: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="The run's name. It must be trained.")
    name: str | None = NAME

    @property
    def arm(self) -> str:
        return self.name or f"run {self.run}"


class ModelOpponent(Settings):
    """`{model: gemma3-270m}`: any other model, on this machine."""

    model: str = Field(description="A bundled name, a folder, a .gguf file or a hub id.")
    prompted: bool = Field(
        False,
        description="Whether it gets the best prompt that is found for it on dev, as the opponent `prompted` does.",
    )
    name: str | None = NAME

    @property
    def arm(self) -> str:
        shown = re.sub(r"[^\w .,:@()+-]+", "-", Path(self.model).name)[:60].strip(" -") or "model"
        return self.name or (f"{shown}, prompted" if self.prompted else shown)


class AddressOpponent(Settings):
    """`{address: 'http://127.0.0.1:8080/v1', model: tall}`: a model behind an OpenAI-compatible address. The questions
    of test are sent there.
    """

    address: str = Field(description="The server's address; it mostly ends in /v1.")
    model: str = Field(min_length=1, description="The model's name, as the server itself calls it.")
    prompted: bool = Field(
        False,
        description="Whether it gets the prompt that did best on dev for the base model, with rows of train in it.",
    )
    key_from: str | None = Field(
        default=None,
        description="Name of the environment variable that holds the server's key. The key itself is never stored.",
    )
    concurrent: int = Field(default=4, ge=1, le=64, description="Requests that the server gets at a time.")
    timeout_s: float = Field(
        default=300, ge=0.1, le=3600, description="Seconds that one answer of the server may take in all."
    )
    name: str | None = NAME

    # Of the whole rather than of the fields: an error then shows no value, which may be a secret.
    @model_validator(mode="after")
    def _secrets_stand_elsewhere(self) -> AddressOpponent:
        if self.key_from is not None:
            check_variable(self.key_from, "key_from")
        if not ADDRESS.match(self.address):
            raise ValueError("`address` begins with http:// or https://")
        check_address(self.address, "address", key="key_from", with_key=self.key_from is not None)
        return self

    @property
    def sends_away(self) -> bool:
        """Whether questions of test leave this machine."""
        return is_elsewhere(self.address)

    @property
    def arm(self) -> str:
        shown = re.sub(r"[^\w .,:@()+-]+", "-", self.model)[:50].strip(" -") or "model"
        place = f"{shown} at {(urlsplit(self.address).hostname or '').strip('[]')[:24]}"
        return self.name or (f"{place}, prompted" if self.prompted else place)


class ExamplesOpponent(Settings):
    """`{examples: 8}`: the base model with just so many examples; which and how is chosen on dev."""

    examples: int = Field(ge=1, le=64, description="How many examples its prompt shows.")

    @property
    def arm(self) -> str:
        return f"{self.examples} examples"


def _kind(value: Any) -> str | None:
    """The tag of an opponent; none where it is of no kind."""
    if isinstance(value, str):
        return "a word"
    keys = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Settings) else {}
    return next((f"with {key}" for key in KEYS if key in keys), None)


Other: TypeAlias = RunOpponent | AddressOpponent | ModelOpponent
Opponent: TypeAlias = Annotated[
    Annotated[Literal["base", "prompted"], Tag("a word")]
    | Annotated[RunOpponent, Tag("with run")]
    | Annotated[AddressOpponent, Tag("with address")]
    | Annotated[ExamplesOpponent, Tag("with examples")]
    | Annotated[ModelOpponent, Tag("with model")],
    Discriminator(
        _kind,
        custom_error_type="no_such_opponent",
        custom_error_message="an opponent is base, prompted, {run: …}, {model: …}, {address: …, model: …} or "
        "{examples: …}",
    ),
]
AnyOpponent: TypeAlias = Literal["base", "prompted"] | RunOpponent | AddressOpponent | ExamplesOpponent | ModelOpponent


def arm_of(opponent: AnyOpponent) -> str:
    """The opponent's name in items.jsonl, arms.json and the verdict."""
    return opponent if isinstance(opponent, str) else opponent.arm


def compared(opponent: AnyOpponent) -> Any:
    """As JSON, without what changes none of its answers, or is known by a hash."""
    if isinstance(opponent, str):
        return opponent
    patience = {"concurrent", "timeout_s", "key_from"}
    place = {"model"} if isinstance(opponent, ModelOpponent) else set[str]()
    return {**opponent.model_dump(mode="json", exclude=patience | place), "arm": opponent.arm}


def check_names(opponents: Iterable[AnyOpponent]) -> None:
    """Raises ValueError: two opponents have one name, or one has a name that means another arm."""
    names = [arm_of(opponent) for opponent in opponents]
    for opponent in opponents:
        if not isinstance(opponent, str) and opponent.arm in OWN_NAMES:
            raise ValueError(f"`{opponent.arm}` is the name of another arm; choose one with `name:`")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"name each opponent once: `{twice}` stands twice; `name:` tells two of one kind apart")
