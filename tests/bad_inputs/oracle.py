"""What every case has to keep to, and what this one has to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from burnish.data.reasons import REASONS
from tests.bad_inputs.case import Kept, Limits, Made, Refused, Survived
from tests.bad_inputs.trial import SECRET, Outcome

MOST_LINES = 12
# A panic of a Rust library says so on stderr before anybody can ask it not to; what counts is what follows.
RUST_NOTICE = re.compile(r"\nthread '[^'\n]*' \(\d+\) panicked at .*\n.*\n(note: .*\n)?")
PARTS = ("train", "dev", "test")


def faults(made: Made, outcome: Outcome) -> list[str]:
    """What is wrong with an outcome; nothing where it is as it should be."""
    found = [*_for_all(outcome, made.limits)]
    expected = made.expected
    if isinstance(expected, Survived):
        return [*found, *_survived(expected, outcome)]
    if isinstance(expected, Kept):
        return [*found, *_kept(expected, outcome)]
    prepares = not made.command and made.call is None
    return [
        *found,
        *_refused(expected, outcome),
        *(["a run was left behind"] if prepares and outcome.run.exists() else []),
    ]


def _for_all(outcome: Outcome, limits: Limits) -> Iterator[str]:
    seconds = outcome.cpu_seconds if limits.seconds >= 1 else outcome.own_seconds
    if seconds > limits.seconds:
        yield f"{seconds:.3f} s of processor time"
    if outcome.grown_bytes > limits.grown_bytes:
        yield f"{outcome.grown_bytes >> 20} MiB more memory"
    yield from outcome.touched[:3]
    text = RUST_NOTICE.sub("", outcome.out + outcome.err)
    if "Traceback" in text or "panicked" in text:
        yield "a traceback"
    if "unforeseen" in text:
        yield f"an unforeseen error: {outcome.err[:300]}"
    if wrong := [character for character in text if character != "\n" and not character.isprintable()]:
        yield f"{wrong[0]!r} on the terminal"
    if SECRET in text or any(_holds_secret(path) for path in outcome.box.rglob("*")):
        yield "a secret of the environment is shown"
    if outcome.code < 0:
        yield f"ended by signal {-outcome.code}"


def _holds_secret(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20 and _reads(path, SECRET.encode())


def _reads(path: Path, words: bytes) -> bool:
    try:
        return words in path.read_bytes()
    except OSError:  # a file that nobody may read
        return False


def _survived(expected: Survived, outcome: Outcome) -> Iterator[str]:
    if expected.code is not None and outcome.code != expected.code:
        yield f"exit code {outcome.code} instead of {expected.code}: {outcome.err[:300]}"
    if outcome.code:
        yield from _refused(Refused([], outcome.code), outcome)
    if expected.look is not None:
        yield from expected.look(outcome.box)


def _refused(expected: Refused, outcome: Outcome) -> Iterator[str]:
    if outcome.code not in expected.codes:
        yield f"exit code {outcome.code} instead of {expected.code}: {outcome.err[:300] or _counts(outcome)}"
        return
    usage = outcome.err.startswith("Usage: ") and "Error: " in outcome.err  # what typer says of an option
    if usage and outcome.code == 2:
        return
    lines = RUST_NOTICE.sub("", outcome.err).splitlines()
    if not lines or not lines[0].startswith("error: ") or len(lines) > MOST_LINES:
        yield f"no plain error, but {outcome.err[:200]!r}"
    if not re.search(r"^  (where|seen): ", outcome.err, re.MULTILINE):
        yield "the error does not say where, nor what was seen"
    if "  next: " not in outcome.err:
        yield "the error does not say what to do"
    yield from (
        f"the error does not say {word!r}: {outcome.err[:400]}" for word in expected.words if word not in outcome.err
    )


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
