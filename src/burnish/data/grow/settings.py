"""What a recipe says about growing: which rows are made, by which model, and how many. Nothing is made by default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from burnish.core.address import ADDRESS, check_address, check_variable, is_elsewhere
from burnish.core.settings import Settings

MADE_ID = "-made"  # the end of a made row's id


class GrowSettings(Settings):
    """`grow: {model: smollm2-135m, paraphrase: 1}` asks a model for more rows like those of train."""

    model: str | None = Field(
        default=None,
        description="Who makes the rows: a bundled name, a folder, a .gguf file or a hub id, run on this machine; or "
        "the address of an OpenAI-compatible server, such as http://127.0.0.1:8080/v1, to which rows of train are "
        "sent then.",
    )
    paraphrase: int = Field(
        default=0, ge=0, le=20, description="Times that the prompt of a row is put into other words; its answer stays."
    )
    questions: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Questions with answers to ask for about each passage of up to 2,000 characters of the documents.",
    )
    documents: str | None = Field(
        default=None,
        description="A .txt or .md file, or a folder of them, for `questions`. Default: the plain-text rows of train.",
    )
    rewrite: str | None = Field(
        default=None,
        min_length=1,
        max_length=2000,
        description="An instruction by which answers are rewritten, such as 'Write in short sentences.'",
    )
    rewritten: Literal["beside", "instead"] = Field(
        default="beside",
        description="Whether a row with a rewritten answer stands beside its origin in train or takes its place. Dev "
        "and test keep their answers.",
    )
    most: int = Field(
        default=1000, ge=1, le=20_000, description="Rows made at most in all; three times as many are tried at most."
    )
    language: Literal["same", "any"] = Field(
        default="same",
        description="Whether a rewritten answer must be in the language of its origin. `any` is for an instruction "
        "that translates.",
    )
    temperature: float = Field(
        default=0.5,
        ge=0,
        le=2,
        description="Temperature of sampling: 0 gives each row's likeliest text, which hardly differs between tries; "
        "small models lose the thread with more.",
    )
    max_new_tokens: int = Field(
        default=512, ge=16, le=8192, description="Longest text in tokens; what is cut off there is not used."
    )
    served: str | None = Field(
        default=None,
        min_length=1,
        description="Name of the model at the address, as the server itself calls it.",
    )
    key_env: str | None = Field(
        default=None,
        description="Name of the environment variable that holds the server's key. The key itself is never stored.",
    )
    concurrent: int = Field(default=4, ge=1, le=64, description="Requests that the server gets at a time.")
    timeout_s: float = Field(
        default=300, ge=0.1, le=3600, description="Seconds that one answer of the server may take in all."
    )

    @property
    def on(self) -> bool:
        """Whether anything is to be made."""
        return bool(self.paraphrase or self.questions or self.rewrite)

    @property
    def address(self) -> str | None:
        """The server's address where one is named."""
        return self.model if self.model and ADDRESS.match(self.model) else None

    @property
    def sends_away(self) -> bool:
        """Whether rows of train leave this machine."""
        return self.address is not None and is_elsewhere(self.address)

    # Of the whole rather than of the fields: an error then shows no value, which may be a secret.
    @model_validator(mode="after")
    def _secrets_stand_elsewhere(self) -> GrowSettings:
        if self.key_env is not None:
            check_variable(self.key_env, "key_env")
        if self.address is not None:
            check_address(self.address, "model", key="key_env", with_key=self.key_env is not None)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> GrowSettings:
        if self.on and self.model is None:
            raise ValueError("growing needs `model`: who makes the rows")
        if self.model is not None and not self.on:
            raise ValueError("`model` has no effect without `paraphrase`, `questions` or `rewrite`")
        if self.address is not None and self.served is None:
            raise ValueError("an address needs `served` beside it: the model's name there, as ADDRESS/models lists it")
        for name, value in (("served", self.served), ("key_env", self.key_env)):
            if value is not None and self.address is None:
                raise ValueError(f"`{name}` has no effect unless `model` is an address")
        if self.documents is not None and not self.questions:
            raise ValueError("`documents` has no effect without `questions`")
        return self
