"""What every case has to keep to, and what this one has to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from burnish.data.reasons import REASONS
from tests.bad_inputs.case import Kept, Made, Refused
from tests.bad_inputs.trial import Outcome

MOST_CPU_SECONDS = 10.0
MOST_GROWN_BYTES = 1 << 30
MOST_LINES = 12
PARTS = ("train", "dev", "test")


def faults(made: Made, outcome: Outcome) -> list[str]:
    """What is wrong with an outcome; nothing where it is as it should be."""
    found = [*_for_all(outcome)]
    expected = made.expected
    return [*found, *(_kept(expected, outcome) if isinstance(expected, Kept) else _refused(expected, outcome))]


def _for_all(outcome: Outcome) -> Iterator[str]:
    if outcome.cpu_seconds > MOST_CPU_SECONDS:
        yield f"{outcome.cpu_seconds:.1f} s of processor time"
    if outcome.grown_bytes > MOST_GROWN_BYTES:
        yield f"{outcome.grown_bytes >> 20} MiB more memory"
    yield from outcome.touched[:3]
    text = outcome.out + outcome.err
    if "Traceback" in text or "panicked" in text:
        yield "a traceback"
    if "unforeseen" in text:
        yield f"an unforeseen error: {outcome.err[:300]}"
    if wrong := [character for character in text if character != "\n" and not character.isprintable()]:
        yield f"{wrong[0]!r} on the terminal"
    if outcome.code < 0:
        yield f"ended by signal {-outcome.code}"


def _refused(expected: Refused, outcome: Outcome) -> Iterator[str]:
    if outcome.code != expected.code:
        yield f"exit code {outcome.code} instead of {expected.code}: {outcome.err[:300] or _counts(outcome)}"
        return
    lines = outcome.err.splitlines()
    if not lines or not lines[0].startswith("error: ") or len(lines) > MOST_LINES:
        yield f"no plain error, but {outcome.err[:200]!r}"
    if not re.search(r"^  (where|seen): ", outcome.err, re.MULTILINE):
        yield "the error does not say where, nor what was seen"
    if "  next: " not in outcome.err:
        yield "the error does not say what to do"
    yield from (
        f"the error does not say {word!r}: {outcome.err[:400]}" for word in expected.words if word not in outcome.err
    )
    if outcome.run.exists():
        yield "a run was left behind"


def _kept(expected: Kept, outcome: Outcome) -> Iterator[str]:
    if outcome.code:
        yield f"exit code {outcome.code}: {outcome.err[:400]}"
        return
    data = outcome.run / "data"
    card = json.loads((data / "card.json").read_text("utf-8"))
    rows = [one for part in PARTS for one in read_lines(data / f"{part}.jsonl")]
    dropped, changed = read_lines(data / "dropped.jsonl"), read_lines(data / "changed.jsonl")
    if card["rows_in"] != expected.rows or len(rows) + len(dropped) != expected.rows:
        yield f"{expected.rows} rows in, {card['rows_in']} counted, {len(rows)} kept, {len(dropped)} dropped"
    wanted = {reason: sorted(found) for reason, found in expected.dropped.items()}
    if (seen := _places(dropped)) != wanted:
        yield f"dropped {seen}, expected {wanted}"
    if unknown := {one["reason"] for one in dropped} - {*REASONS}:
        yield f"reasons without a meaning: {unknown}"
    if (repaired := dict(Counter(one["reason"] for one in changed))) != dict(expected.changed):
        yield f"repaired {repaired}, expected {dict(expected.changed)}"
    if len({(one["id"]) for one in rows}) < len(rows) or any(":" not in one["source"] for one in rows):
        yield "rows without a name or a place of their own"
    said = outcome.out + outcome.err
    yield from (f"it does not say {word!r}: {said[:400]}" for word in expected.told if word not in said)


def _places(dropped: list[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in dropped:
        found.setdefault(one["reason"], []).append(int(one["source"].rpartition(":")[2]))
    return {reason: sorted(places) for reason, places in found.items()}


def _counts(outcome: Outcome) -> str:
    return " ".join(outcome.out.split("\n")[2:-3])[:300]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text("utf-8").split("\n") if one]
