"""What holds a model to what it knew while it learns something new."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.core.settings import Settings

Off = Literal["off"]


class ReplaySettings(Settings):
    """General rows are learnt beside the user's own, with the answers that stand in them."""

    file: str | None = Field(
        None, description="Rows to keep in mind, in any form that `data.train` takes: those of an earlier training, "
        "say. Without one, the general rows that come with Burnish."
    )  # fmt: skip
    share: float = Field(0.1, gt=0, le=4, description="General rows for each row of the user's own.")
    weight: float = Field(
        1.0, gt=0, le=100, description="How much their mean loss a token counts beside the loss of the user's rows."
    )


class SelfReplaySettings(Settings):
    """What the model itself answered to general prompts before training is learnt beside the user's rows."""

    share: float = Field(0.1, gt=0, le=4, description="General rows for each row of the user's own.")
    weight: float = Field(
        1.0, gt=0, le=100, description="How much their mean loss a token counts beside the loss of the user's rows."
    )


class KLSettings(Settings):
    """On the model's own answers to general prompts, its whole distribution over the next token is held."""

    share: float = Field(0.1, gt=0, le=4, description="General rows for each row of the user's own.")
    weight: float = Field(
        1.0, gt=0, le=1000, description="How much KL(before ‖ now), in nats a token, counts beside the loss of the "
        "user's rows."
    )  # fmt: skip


class L2Settings(Settings):
    """The change of the weights is held small, all of them alike (L2-SP, arXiv 1802.01483)."""

    weight: float = Field(
        0.01, gt=0, le=1000, description="How much half the squared change of the weights, summed over all of them, "
        "counts beside the loss of the rows. LoRA at its usual rate changes a model of 135M by some 30 in ten updates."
    )  # fmt: skip


class EWCSettings(Settings):
    """The change of the weights is held small, most where general answers depend on them (EWC, arXiv 1612.00796)."""

    weight: float = Field(
        300.0, gt=0, le=1e9, description="How much half the squared change, each weight's counted by its Fisher "
        "information a token, counts. At 1 it would be the KL in nats a token if each weight acted alone; they act "
        "together, and the KL measured was 100 to 600 times as much."
    )  # fmt: skip
    rows: int = Field(
        64, ge=1, le=10_000, description="General rows, with the model's own answers, from which the information is "
        "worked out."
    )  # fmt: skip


class ProtectSettings(Settings):
    """The `protect` group of a recipe: guards against forgetting, each a further term of the loss."""

    level: Literal["none", "light", "strong"] = Field(
        "none", description="A choice of guards. light: self-replay at a share of 0.1; strong: KL at a share of 0.25; "
        "both put LoRA on the MLP matrices alone where `adapt.targets` is not set. What is set below comes first."
    )  # fmt: skip
    replay: ReplaySettings | Off | None = Field(None, description="General rows with given answers, or off.")
    self_replay: SelfReplaySettings | Off | None = Field(
        None, description="General prompts with the model's own answers from before training, or off."
    )
    kl: KLSettings | Off | None = Field(None, description="The distribution over the next token, or off.")
    l2: L2Settings | Off | None = Field(None, description="The weights, all alike, or off.")
    ewc: EWCSettings | Off | None = Field(None, description="The weights by their importance, or off.")
    scale: Literal["auto", "off"] | Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="How much of the update is kept after training. auto: the checkpoint and the scale that are "
        "best on dev among those within `forget_limit`; a number: so much of the best checkpoint's; off: all of it. "
        "Where nothing is said, auto with light or strong and off without."
    )  # fmt: skip
    forget_limit: float = Field(
        0.05, gt=0, le=10, description="How much the loss of general text may rise, in nats a token, for `scale: auto` "
        "and for what `burnish ladder` recommends: half of what the verdict tolerates, which asks other texts."
    )  # fmt: skip

    @property
    def choice(self) -> Literal["auto"] | float | None:
        """What happens after training: a choice of checkpoint and scale, a given scale, or nothing."""
        if self.scale is None:
            return None if self.level == "none" else "auto"
        return None if self.scale == "off" else self.scale

    @property
    def rungs(self) -> Rungs:
        """What is at work, with the level's guards where nothing else is said of them."""
        named = {name: value for name, value in self if name in Rungs.model_fields and value is not None}
        filled = {**LEVELS[self.level], **named}
        return Rungs(**{name: value for name, value in filled.items() if value != "off"})

    @property
    def replay_file(self) -> str | None:
        """The user's own rows to keep in mind."""
        return self.replay.file if isinstance(self.replay, ReplaySettings) else None


class Rungs(Settings):
    """The guards at work, by name; None where one is not."""

    replay: ReplaySettings | None = None
    self_replay: SelfReplaySettings | None = None
    kl: KLSettings | None = None
    l2: L2Settings | None = None
    ewc: EWCSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, value in self if value is not None)


# light costs about a fifth more time, strong about a half. KL asks more of each general token than self-replay, which
# sees one draw from the same distribution, and so has less noise; both measure forgetting where it is felt, unlike a
# distance between weights. PEFT's own benchmark found LoRA on the MLP matrices to forget a third less at equal gain.
LEVELS: dict[str, dict[str, Settings]] = {
    "none": {},
    "light": {"self_replay": SelfReplaySettings(share=0.1)},
    "strong": {"kl": KLSettings(share=0.25)},
}
