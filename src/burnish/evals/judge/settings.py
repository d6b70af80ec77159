"""Who judges free text, and by what."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from burnish.core.address import ADDRESS, check_address, check_variable, is_elsewhere
from burnish.core.settings import Settings


class JudgeSettings(Settings):
    """`judge: smollm2-135m` is short for `judge: {model: smollm2-135m}`."""

    model: str = Field(
        min_length=1,
        description="Who judges: a bundled name, a folder, a .gguf file or a hub id, run on this machine; with "
        "`address`, the name of the model there.",
    )
    address: str | None = Field(
        default=None,
        description="An OpenAI-compatible server, such as http://127.0.0.1:8080/v1, to which test prompts and answers "
        "are sent then.",
    )
    key_from: str | None = Field(
        default=None,
        description="Name of the environment variable that holds the server's key. The key itself is never stored.",
    )
    criteria: str = Field(
        default="The better answer does what was asked, is correct, and is clear. Length alone is no merit.",
        min_length=1,
        max_length=4000,
        description="What makes an answer the better one, in your words; the judge reads it.",
    )
    reference: bool = Field(
        default=True, description="Whether the judge also reads the expected answer of the row, where there is one."
    )
    items: Annotated[int | None, BeforeValidator(lambda value: None if value == "auto" else value)] = Field(
        default=None, ge=1, description="Test rows to judge at most, a seeded sample; auto is all of them."
    )
    repeat: int = Field(
        default=20,
        ge=0,
        description="Comparisons that are asked a second time, to see whether the judge repeats itself.",
    )
    max_new_tokens: int = Field(
        default=512,
        ge=1,
        le=8192,
        description="Longest reply of a server, in tokens: one letter is asked for, but some models think aloud first.",
    )
    concurrent: int = Field(default=4, ge=1, le=64, description="Requests that the server gets at a time.")
    timeout_s: float = Field(
        default=300, ge=0.1, le=3600, description="Seconds that one reply of the server may take in all."
    )

    @property
    def sends_away(self) -> bool:
        """Whether test rows and answers leave this machine."""
        return self.address is not None and is_elsewhere(self.address)

    # Of the whole rather than of the fields: an error then shows no value, which may be a secret.
    @model_validator(mode="after")
    def _secrets_stand_elsewhere(self) -> JudgeSettings:
        if self.key_from is not None:
            check_variable(self.key_from, "key_from")
        if self.key_from is not None and self.address is None:
            raise ValueError("`key_from` has no effect without `address`")
        if self.address is not None:
            if not ADDRESS.match(self.address):
                raise ValueError("`address` begins with http:// or https://")
            check_address(self.address, "address", key="key_from", with_key=self.key_from is not None)
        return self


def _written_out(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


Judging: TypeAlias = Annotated[JudgeSettings | None, BeforeValidator(_written_out)]
