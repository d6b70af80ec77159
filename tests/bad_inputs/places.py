"""Names that are not what they seem: links in a circle, pipes, devices, folders, odd file names."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from tests.bad_inputs.case import GOOD_ROWS, NAME, Case, Kept, Made, Refused, good_lines

GOOD = b"\n".join(good_lines()) + b"\n"
ODD_NAME = "a\x1b[31m\nb 'c' \"d\" \u202e;$(touch x).jsonl"


def circle(folder: Path, rng: Random) -> Made:
    """A folder that holds links to itself and to its parent."""
    inside = folder / "all"
    inside.mkdir()
    (inside / NAME).write_bytes(GOOD)
    (inside / "again").symlink_to(inside)
    (inside / "up").symlink_to(folder)
    return Made("all", Kept(GOOD_ROWS))


def link_to_itself(folder: Path, rng: Random) -> Made:
    (folder / NAME).symlink_to(folder / NAME)
    return Made(NAME, Refused(["no such file"]))


def dangling(folder: Path, rng: Random) -> Made:
    (folder / NAME).symlink_to(folder / "gone.jsonl")
    return Made(NAME, Refused(["no such file"]))


def pipe(folder: Path, rng: Random) -> Made:
    os.mkfifo(folder / NAME)
    return Made(NAME, Refused(["not a file"]))


def pipe_beside(folder: Path, rng: Random) -> Made:
    inside = folder / "all"
    inside.mkdir()
    (inside / NAME).write_bytes(GOOD)
    os.mkfifo(inside / "more.jsonl")
    return Made("all", Kept(GOOD_ROWS))


def device(folder: Path, rng: Random) -> Made:
    (folder / NAME).symlink_to("/dev/zero")
    return Made(NAME, Refused(["not a file"]))


def failing(folder: Path, rng: Random) -> Made:
    """A file that opens, and whose first byte is a read error: what a dying disk gives."""
    (folder / NAME).symlink_to("/proc/self/mem")
    return Made(NAME, Refused(["cannot be read", NAME]))


def forbidden(folder: Path, rng: Random) -> Made:
    (folder / NAME).write_bytes(GOOD)
    (folder / NAME).chmod(0)
    readable = os.access(folder / NAME, os.R_OK)  # root may
    return Made(NAME, Kept(GOOD_ROWS) if readable else Refused(["cannot be read", "permissions"]))


def parts(folder: Path, rng: Random) -> Made:
    inside = folder / "all"
    inside.mkdir()
    for name in ("train.jsonl", "test.jsonl"):
        (inside / name).write_bytes(GOOD)
    return Made("all", Refused(["several parts", "train.jsonl", "test.jsonl"]))


def texts(folder: Path, rng: Random) -> Made:
    """Texts of which one is empty, one damaged and one no text."""
    inside = folder / "all"
    inside.mkdir()
    subjects = ("bridges", "rivers", "trains", "bread", "maps", "clocks", "glass", "wool")
    for number in range(30):
        subject = subjects[number % len(subjects)]
        (inside / f"{number:02}.txt").write_text(f"Note {number} is about {subject} and what people say of it.")
    (inside / "40.txt").write_bytes(b"")
    (inside / "41.txt").write_bytes("ä".encode() + b"\xff\xfe\xfd ab")
    (inside / "42.txt.gz").write_bytes(b"\x1f\x8b\x08broken")
    return Made("all", Kept(33, {"empty_text": [1], "not_readable": [1, 1]}))


def odd_name(folder: Path, rng: Random) -> Made:
    (folder / ODD_NAME).write_bytes(GOOD + b"no\n")
    return Made(ODD_NAME, Kept(GOOD_ROWS + 1, {"not_json": [41]}))


def bytes_for_a_name(folder: Path, rng: Random) -> Made:
    name = os.fsdecode(b"caf\xe9.jsonl")
    (folder / name).write_bytes(GOOD + b"no\n")
    return Made(name, Refused(["no text", "rename"], code=2))


def bytes_in_a_folder(folder: Path, rng: Random) -> Made:
    inside = folder / "all"
    inside.mkdir()
    (inside / os.fsdecode(b"caf\xe9.jsonl")).write_bytes(GOOD)
    return Made("all", Refused(["no text", "rename"]))


def pattern(folder: Path, rng: Random) -> Made:
    (folder / "*.jsonl").write_bytes(GOOD)
    (folder / "other.jsonl").write_bytes(b"no\n")
    return Made("*.jsonl", Kept(GOOD_ROWS))


def below_a_file(folder: Path, rng: Random) -> Made:
    (folder / NAME).write_bytes(GOOD)
    return Made(f"{NAME}/train.jsonl", Refused(["no such file"]))


def own_test(folder: Path, rng: Random) -> Made:
    """The training data once more as its own test."""
    (folder / NAME).write_bytes(GOOD)
    (folder / "test.jsonl").write_bytes(b"\n".join(rng.sample(good_lines(), GOOD_ROWS)))
    return Made(NAME, Refused(["leak_exact", "40"]), ["data.test={folder}/test.jsonl"])


CASES = (
    Case("a folder of links in a circle", circle),
    Case("a link to itself", link_to_itself),
    Case("a link to nothing", dangling),
    Case("a pipe that nobody writes to", pipe),
    Case("a pipe beside the rows", pipe_beside),
    Case("a device without end", device),
    Case("a disk that fails", failing),
    Case("a file that may not be read", forbidden),
    Case("train and test in one folder", parts),
    Case("texts, some of them damaged", texts),
    Case("a name that commands the terminal and the shell", odd_name),
    Case("a name that is no text", bytes_for_a_name),
    Case("a name that is no text, in a folder", bytes_in_a_folder),
    Case("a name that is a pattern", pattern),
    Case("a path below a file", below_a_file),
    Case("the training data as its own test", own_test),
)
