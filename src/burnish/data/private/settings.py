"""What a recipe says about private data."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from burnish.core.settings import Settings

Kind: TypeAlias = Literal["key", "password", "iban", "card", "national_id", "email", "ip", "phone", "name"]


class PrivateSettings(Settings):
    """A model can repeat what it was trained on, so whoever may ask it may be told what stands in its rows."""

    action: Literal["report", "mask", "drop", "off"] = Field(
        default="report",
        description="`report` says what was found and where; `mask` writes [EMAIL_1] and the like in its place, which "
        "cannot be taken back; `drop` leaves such rows out. Nothing that is found is ever printed or stored elsewhere.",
    )
    kinds: list[Kind] = Field(
        default=["key", "password", "iban", "card", "national_id", "email", "ip", "phone"],
        min_length=1,
        description="What to look for. `name` needs `names_model` too.",
    )
    regions: list[Annotated[str, Field(pattern="^[A-Z]{2}$")]] = Field(
        default=["US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "BR", "MX", "IN", "AU"],
        description="Countries (ISO 3166, two letters) whose phone numbers are known without their +49 or the like; "
        "such a number needs a word beside it that says so.",
    )
    names_model: str | None = Field(
        default=None,
        description="A folder with a transformers model for token classification that marks persons (label PER or "
        "PERSON). Without it names are not looked for.",
    )

    @model_validator(mode="after")
    def _names_have_a_model(self) -> PrivateSettings:
        if ("name" in self.kinds) != (self.names_model is not None):
            raise ValueError("names are looked for where `kinds` holds `name` and `names_model` names a model")
        return self
