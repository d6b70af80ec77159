"""Names that this server gives: what a client calls something is never a path or a key here."""

from __future__ import annotations

import re
import secrets
import string
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["file", "ftjob", "ftevent", "ftckpt"]
LETTERS = string.ascii_letters + string.digits
LENGTH = 24  # 142 bits: never the same twice, never guessed


def new_id(kind: Kind) -> str:
    """'ftjob-' and 24 random letters and digits."""
    return f"{kind}-" + "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def model_name(base: str, organisation: str, suffix: str, job: str, step: int | None = None) -> str:
    """What OpenAI calls a tuned model, 'ft:BASE:ORG:SUFFIX:ID', or one of its checkpoints."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", suffix).strip("-").lower()
    name = f"ft:{base}:{organisation}:{plain}:{job.removeprefix('ftjob-')[:8]}"
    return name if step is None else f"{name}:ckpt-step-{step}"
