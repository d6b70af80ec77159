"""Rules for what several tools say alike: batch, epochs, rate, precision, measuring, LoRA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from burnish.recipe.imports.contract import Given, Note, Rule
from burnish.recipe.imports.rules import AS_HERE, one_of, to, unusable
from burnish.recipe.imports.values import flag, is_blank, is_off, number, whole

ADAMW = ("adamw", "adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_torch_xla", "adamw_torch_npu_fused",
         "adamw_apex_fused")  # fmt: skip
FLOOR = "falls to a tenth of the peak, not to zero"
BITS = "the weights stay in bfloat16 or float32: the same learning, more memory"


def given_or(given: Given, key: str, default: Any) -> Any:
    """The value of a key, or `default` where it is absent or empty."""
    value = given.values.get(key)
    return default if is_blank(value) else value


def is_on(given: Given, key: str) -> bool:
    """Whether a switch is there and on."""
    value = given.values.get(key)
    return not is_off(value) and not isinstance(value, dict | list)


@dataclass(frozen=True)
class Batch:
    """The keys that make up the rows of an update, and what the tool takes where they are absent."""

    per_device: str
    accumulation: str
    default: int
    packed: Callable[[Given], bool]
    total: str = ""  # per device and update, instead of accumulation

    def rows(self, given: Given) -> int:
        """Rows between two changes of the weights. Raises ValueError."""
        if self.total and not is_blank(given.values.get(self.total)):
            return self.count(given, self.total, 0) * given.devices
        accumulated = self.count(given, self.accumulation, 1)
        return self.count(given, self.per_device, self.default) * accumulated * given.devices

    def count(self, given: Given, key: str, default: int) -> int:
        try:
            return whole(given_or(given, key, default))
        except ValueError as error:
            raise ValueError(f"`{key}`: {error}") from None

    def rule(self, key: str, value: Any, given: Given) -> list[Note]:
        """The product, and that a packed batch counts otherwise."""
        try:
            rows = self.rows(given)
        except ValueError as error:
            return [unusable(key, value, error)]
        text = f"rows per device × accumulation × {given.devices} device{'s' * (given.devices > 1)}"
        if self.packed(given):
            text += "; there a row is a pack of several examples, here it is one: an update sees fewer tokens"
        return [Note(key, value, "changed" if self.packed(given) else "translated", text,
                     {"train.rows_per_update": rows})]  # fmt: skip

    def rules(self) -> dict[str, Rule]:
        keys = (self.per_device, self.accumulation, *((self.total,) if self.total else ()))
        return dict.fromkeys(keys, self.rule)


def steps(key: str, value: Any, given: Given) -> list[Note]:
    """Updates in all; -1 and 0 mean that epochs count."""
    try:
        found = whole(value)
    except ValueError as error:
        return [unusable(key, value, error)]
    if found <= 0:
        return [Note(key, value, "ignored", "off: epochs count")]
    return [Note(key, value, "translated", "", {"train.steps": found})]


def epochs_or_steps(epochs: float) -> Callable[[Given], float | None]:
    """The tool's own number of epochs, unless updates are counted."""

    def value(given: Given) -> float | None:
        try:
            return None if whole(given_or(given, "max_steps", 0)) > 0 else epochs
        except ValueError:
            return epochs

    return value


@dataclass(frozen=True)
class Warmup:
    """Warm-up as a share of all updates; a count of updates becomes one only where all updates are known."""

    ratio: str = "warmup_ratio"
    count: str = "warmup_steps"
    scheduler: str = "lr_scheduler_type"

    def rule(self, key: str, value: Any, given: Given) -> list[Note]:
        if str(given.values.get(self.scheduler, "")).strip().lower() == "constant":
            return [Note(key, value, "ignored", "`constant` has no warm-up there either")]
        try:
            found = number(value)
            total = whole(given_or(given, "max_steps", 0))
        except ValueError as error:
            return [unusable(key, value, error)]
        if found == 0 and key == self.count and is_on(given, self.ratio):
            return [Note(key, value, "ignored", f"off: `{self.ratio}` counts")]
        if found < 1 or key == self.ratio:
            return [Note(key, value, "translated", "", {"train.warmup": found})]
        if total > 0:
            share = min(1.0, round(found / total, 4))
            return [Note(key, value, "translated", f"as a share of {total} updates", {"train.warmup": share})]
        return [Note(key, value, "missing", f"warm-up is a share of all updates here, whose count this file does not "
                     f"tell: left at Burnish's default; set train.warmup to {found:g} / updates")]  # fmt: skip

    def rules(self) -> dict[str, Rule]:
        return {self.ratio: self.rule, self.count: self.rule}


def scheduler(key: str, value: Any, given: Given) -> list[Note]:
    """How the rate falls. A constant rate has no warm-up unless its name says so."""
    if str(value).strip().lower() == "constant":
        return [Note(key, value, "translated", "", {"train.schedule": "constant", "train.warmup": 0})]
    return SCHEDULER(key, value, given)


SCHEDULER = one_of(
    "train.schedule",
    {
        "cosine": "cosine",
        "linear": "linear",
        "constant_with_warmup": "constant",
        "cosine_with_min_lr": "cosine",
        "cosine_warmup_with_min_lr": "cosine",
        "cosine_with_restarts": "cosine",
        "polynomial": "linear",
    },
    "Burnish has cosine, linear and constant: left at cosine",
    {
        "cosine": FLOOR,
        "linear": FLOOR,
        "cosine_with_min_lr": "the least rate is a tenth of the peak",
        "cosine_warmup_with_min_lr": "the least rate is a tenth of the peak",
        "cosine_with_restarts": "one fall, without restarts",
        "polynomial": "as linear; " + FLOOR,
    },
)


def optimiser(key: str, value: Any, given: Given) -> list[Note]:
    """AdamW is the one that there is."""
    name = str(value).strip().lower()
    if name in ADAMW:
        return [Note(key, value, "ignored", AS_HERE + ": AdamW")]
    if "adamw" in name and any(part in name for part in ("8bit", "4bit", "32bit", "paged", "fp8", "bnb")):
        return [Note(key, value, "changed", "AdamW with its state in float32: the same rule, more memory")]
    return [Note(key, value, "missing", "AdamW trains instead: look at the learning rate, it was meant for another")]


def clip(key: str, value: Any, given: Given) -> list[Note]:
    """Zero switches clipping off there."""
    if is_off(value):
        return [Note(key, value, "missing", "the gradient is always clipped: left at Burnish's default")]
    return to("train.clip", number)(key, value, given)


def precision(key: str, value: Any, given: Given) -> list[Note]:
    """bf16, fp16 and their likes → model.dtype."""
    try:
        on = value == "auto" or value == "full" or flag(value)
    except ValueError as error:
        return [unusable(key, value, error)]
    others = [one for one in ("bf16", "bfloat16", "fp16", "float16", "pure_bf16") if one != key and is_on(given, one)]
    if not on:
        full = {"model.dtype": "float32"} if key == "bf16" and not others else {}
        return [Note(key, value, "translated" if full else "ignored", "" if full else "off", full)]
    if value == "auto":
        return [Note(key, value, "translated", "", {"model.dtype": "auto"})]
    if key in ("bf16", "bfloat16", "pure_bf16"):
        text = "" if key == "bf16" else "what trains is kept in float32"
        return [Note(key, value, "changed" if text else "translated", text, {"model.dtype": "bfloat16"})]
    if key == "float32":
        return [Note(key, value, "translated", "", {"model.dtype": "float32"})]
    return [Note(key, value, "changed", "there is no float16: bfloat16 or float32, whichever the machine is faster in",
                 {"model.dtype": "auto"})]  # fmt: skip


def weights_dtype(key: str, value: Any, given: Given) -> list[Note]:
    """The number format in which weights are loaded; that of the products counts where it is said."""
    if is_on(given, "bf16") or is_on(given, "fp16"):
        return [Note(key, value, "ignored", "the format of the products is said by bf16 or fp16")]
    settings = {"auto": "auto", "bfloat16": "bfloat16", "float32": "float32", "float16": "auto"}
    changed = {"float16": "there is no float16: bfloat16 or float32, whichever the machine is faster in"}
    return one_of("model.dtype", settings, "Burnish has bfloat16 and float32", changed)(key, value, given)


def evaluate_every(key: str, value: Any, given: Given) -> list[Note]:
    """Updates between two measurements; below one a share of all updates."""
    return _every("train.evaluate_every", key, value, given)


def save_every(key: str, value: Any, given: Given) -> list[Note]:
    """Updates between two checkpoints; below one a share of all updates."""
    return _every("train.save_every", key, value, given)


def _every(target: str, key: str, value: Any, given: Given) -> list[Note]:
    try:
        found, total = number(value), whole(given_or(given, "max_steps", 0))
        if 0 < found < 1:
            if total <= 0:
                return [Note(key, value, "missing", "a share of all updates, whose count this file does not tell")]
            return [Note(key, value, "translated", f"of {total} updates", {target: max(1, round(found * total))})]
        if found == 0:
            return [Note(key, value, "ignored", "off")]
        return [Note(key, value, "translated", "", {target: whole(value)})]
    except ValueError as error:
        return [unusable(key, value, error)]


def dev_share(key: str, value: Any, given: Given) -> list[Note]:
    """The part held out while training is dev; the test of the verdict is held out besides."""
    try:
        found = number(value)
    except ValueError as error:
        return [unusable(key, value, error)]
    if found == 0:
        text = "rows are held out all the same, for early stop (dev) and for the verdict (test)"
        return [Note(key, value, "missing", text)]
    if found >= 1:
        return [Note(key, value, "missing", "dev is a share of train, not a count of rows: left at Burnish's default")]
    text = "for early stop, 20 to 200 rows; rows for the verdict are held out besides (data.test_share)"
    return [Note(key, value, "changed", text, {"data.dev_share": found})]


def no_objective(name: str) -> str:
    """Why a method of training blocks the import."""
    return f"{name}: Burnish trains by supervised fine-tuning (sft) and by preferences (dpo)"


def devices_note(said: int | None, found: int | None) -> list[Note]:
    """By how many devices a batch was multiplied, where the files do not say it themselves."""
    if said is None and found is not None:
        return []
    text = "from the command line" if said else "assumed: --devices N says otherwise"
    return [Note("devices that share a batch", said or 1, "added", text)]
