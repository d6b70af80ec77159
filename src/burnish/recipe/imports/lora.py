"""Rules for the keys of LoRA, under whatever names a tool has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from burnish.recipe.imports.assemble import Assumption
from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.rules import unusable
from burnish.recipe.imports.training import given_or
from burnish.recipe.imports.values import flag, number, whole, words

GROUPS: Mapping[str, set[str]] = {
    "all-linear": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "attention": {"q_proj", "k_proj", "v_proj", "o_proj"},
    "mlp": {"gate_proj", "up_proj", "down_proj"},
}
ALL_LINEAR = ("all", "all-linear", "linear", "all_linear")
RANKS = (("lora", "adapt.r"), ("peft", "adapt.config.r"))
ALPHAS = (("lora", "adapt.alpha"), ("peft", "adapt.config.lora_alpha"))
TARGETS = (("lora", "adapt.targets"), ("peft", "adapt.config.target_modules"))
SAME_SCALE = "alpha × √r with plain LoRA, which is the same scale"


@dataclass(frozen=True)
class Lora:
    """The keys, and the tool's defaults. `trains` says whether an adapter is what trains at all.

    DoRA goes through peft, with the whole configuration under `adapt.config`.
    """

    r: str
    alpha: str
    targets: str
    dora: str
    rslora: str
    trains: Callable[[Given], bool]
    default_r: int
    default_alpha: float | None = None  # None: twice the rank
    default_targets: str | tuple[str, ...] = ("q_proj", "v_proj")  # what peft takes for Llama-like models

    def rules(self) -> dict[str, Rule]:
        readers = {
            self.r: self.rank_note,
            self.alpha: self.alpha_note,
            self.targets: self.targets_note,
            self.dora: self.dora_note,
            self.rslora: self.rslora_note,
        }
        return {key: self.guarded(reader) for key, reader in readers.items()}

    def guarded(self, reader: Callable[[str, Any, Given], Note]) -> Rule:
        """Nothing to say where no adapter trains; a value of the wrong kind becomes a note."""

        def rule(key: str, value: Any, given: Given) -> list[Note]:
            if not self.trains(given):
                return [Note(key, value, "ignored", "no adapter trains")]
            try:
                return [reader(key, value, given)]
            except ValueError as error:
                return [unusable(key, value, error)]

        return rule

    def kind(self, given: Given) -> str:
        """adapt.type, where an adapter trains."""
        return "peft" if self.has(given, self.dora) else "lora"

    def has(self, given: Given, key: str) -> bool:
        """Whether one of the two switches is there and on."""
        try:
            return flag(given_or(given, key, False))
        except ValueError:
            return False

    def path(self, given: Given, plain: str, peft: str) -> str:
        return f"adapt.config.{peft}" if self.has(given, self.dora) else f"adapt.{plain}"

    def scaled_alpha(self, given: Given) -> float:
        """alpha·√r: rsLoRA's update counts alpha / √r times, which is alpha·√r / r. Raises ValueError."""
        rank = whole(given_or(given, self.r, self.default_r))
        alpha = number(given_or(given, self.alpha, self.default_alpha or 2 * rank))
        return round(alpha * math.sqrt(rank), 4)

    def rank_note(self, key: str, value: Any, given: Given) -> Note:
        return Note(key, value, "translated", "", {self.path(given, "r", "r"): whole(value)})

    def alpha_note(self, key: str, value: Any, given: Given) -> Note:
        if self.has(given, self.rslora) and not self.has(given, self.dora):
            return Note(key, value, "changed", SAME_SCALE, {"adapt.alpha": self.scaled_alpha(given)})
        return Note(key, value, "translated", "", {self.path(given, "alpha", "lora_alpha"): number(value)})

    def targets_note(self, key: str, value: Any, given: Given) -> Note:
        """A list of names, or a word for all of them."""
        if isinstance(value, str) and any(sign in value for sign in "*.|\\^$("):
            return Note(key, value, "missing", "a pattern: name the matrices, or a group (all-linear, attention, mlp)")
        found = words(value)
        names = {name for one in found for name in (GROUPS["all-linear"] if one in ALL_LINEAR else {one})}
        listed = found if names == set(found) else sorted(names)
        if self.has(given, self.dora):
            return Note(key, value, "translated", "", {"adapt.config.target_modules": listed})
        group = next((group for group, members in GROUPS.items() if members == names), None)
        return Note(key, value, "translated", "", {"adapt.targets": group or listed})

    def dora_note(self, key: str, value: Any, given: Given) -> Note:
        if not flag(value):
            return Note(key, value, "ignored", "off")
        sets = {"adapt.type": "peft", "adapt.config.peft_type": "LORA", "adapt.config.use_dora": True}
        return Note(key, value, "translated", "through peft", sets)

    def rslora_note(self, key: str, value: Any, given: Given) -> Note:
        if not flag(value):
            return Note(key, value, "ignored", "off")
        if self.has(given, self.dora):
            return Note(key, value, "translated", "through peft", {"adapt.config.use_rslora": True})
        return Note(key, value, "changed", SAME_SCALE, {"adapt.alpha": self.scaled_alpha(given)})

    def assumptions(self) -> tuple[Assumption, ...]:
        """Rank, alpha and targets where the file does not say them."""
        ranks = [Assumption(self.r, path, self.where(kind, lambda given: self.default_r)) for kind, path in RANKS]
        alphas = [Assumption(self.alpha, path, self.where(kind, self.usual_alpha)) for kind, path in ALPHAS]
        return (*ranks, *alphas, *self.assumed_targets())

    def assumed_targets(self) -> tuple[Assumption, ...]:
        """The matrices where the file names none."""
        names = self.default_targets if isinstance(self.default_targets, str) else [*self.default_targets]
        text = "" if isinstance(names, str) else "what peft takes for Llama-like models"
        return tuple(
            Assumption(self.targets, path, self.where(kind, lambda given: names), text) for kind, path in TARGETS
        )

    def usual_alpha(self, given: Given) -> float | None:
        """The tool's own alpha; with rsLoRA the rule of its key has said it already."""
        try:
            return self.default_alpha or 2 * whole(given_or(given, self.r, self.default_r))
        except ValueError:
            return None

    def where(self, kind: str, value: Callable[[Given], Any]) -> Callable[[Given], Any]:
        """A value that counts where an adapter of this kind trains."""
        return lambda given: value(given) if self.trains(given) and self.kind(given) == kind else None
