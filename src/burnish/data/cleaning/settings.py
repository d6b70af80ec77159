"""What a recipe says about cleaning: one action for each step."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from burnish.core.settings import Settings

Repair: TypeAlias = Literal["repair", "flag", "drop", "off"]
Doubt: TypeAlias = Literal["flag", "drop", "off"]


class CleanSettings(Settings):
    """What is certainly broken is repaired, what is doubtful is reported and kept; every change can be taken back.

    `repair` mends the text, `flag` reports the row and keeps it, `drop` leaves the row out, `off` does not look.
    """

    encoding: Repair = Field(
        default="repair",
        description="Text that was read in the wrong encoding, such as 'cafÃ©' for 'café'. Only what cannot be "
        "anything else is repaired.",
    )
    line_ends: Repair = Field(
        default="repair",
        description="Line ends of Windows and other systems become plain ones: a model would learn to write them.",
    )
    controls: Repair = Field(
        default="repair",
        description="Characters that nobody sees (control codes, zero-width marks, direction overrides, hidden tags) "
        "are taken out, except where a script or an emoji needs them.",
    )
    decomposed: Repair = Field(
        default="repair",
        description="Letters stored in two parts, as file names on a Mac are, become one: it is the same text by "
        "Unicode's definition, and the form in which people type.",
    )
    lost_characters: Doubt = Field(
        default="flag", description="Texts with the mark � where a character was lost: nobody can bring it back."
    )
    boilerplate: Doubt = Field(
        default="flag", description="Answers in which a chatbot speaks about itself ('As an AI language model …')."
    )
    refusal: Doubt = Field(default="flag", description="Answers that decline the request ('I can't assist with that').")
    truncated: Doubt = Field(
        default="flag", description="Answers that break off: they teach a model to stop in the middle."
    )
    language: Doubt = Field(
        default="flag",
        description="Prompts or answers in another language than most on their side. Short texts are not judged.",
    )
    length: Doubt = Field(
        default="flag", description="Prompts or answers far longer or shorter than all the others are."
    )
    echo: Repair = Field(
        default="flag",
        description="Answers that begin with a copy of the prompt. `repair` cuts the copy off.",
    )
    contradiction: Literal["flag", "drop", "majority", "off"] = Field(
        default="flag",
        description="Different labels for one prompt. `drop` leaves out all such rows; `majority` keeps the answer "
        "that most of them give and drops the rest, or all where none leads.",
    )
