"""`burnish chat`: talk to the specialist, with the base model beside it when asked."""

from __future__ import annotations

import sys
from pathlib import Path

from burnish.core.records import Message
from burnish.pipeline.api import Run, load
from burnish.render.show import visible_controls

HELP = """/base  the base model answers    /tuned  the specialist answers    /both  both answer
/new   forget the conversation    /quit  leave"""


def talk(name: str, out: Path, max_new_tokens: int) -> None:
    """Reads questions until end of file or /quit. Piped input works too: one question a line."""
    run = load(name, runs=out)
    history: dict[str, list[Message]] = {"base": [], "tuned": []}
    arms = ["tuned"]
    print(f"talking to {run.folder.name}\n{HELP}")
    while (line := _ask()) is not None:
        if line in ("/base", "/tuned", "/both"):
            arms = ["base", "tuned"] if line == "/both" else [line[1:]]
        elif line == "/new":
            history = {"base": [], "tuned": []}
        elif line in ("/help", "/?") or line.startswith("/"):
            print(HELP)
        elif line:
            for arm in arms:  # each goes on with what it said itself
                history[arm].append(Message("user", line))
                answer = _answer(run, arm, history[arm], max_new_tokens, len(arms) > 1)
                history[arm].append(Message("assistant", answer))


def _ask() -> str | None:
    """One line from the person; None at the end of input or at /quit."""
    try:
        line = input("> " if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        return None
    return None if line == "/quit" else line


def _answer(run: Run, arm: str, history: list[Message], max_new_tokens: int, named: bool) -> str:
    """Prints the answer while it is written. Ctrl-C ends the answer, not the conversation."""
    if named:
        print(f"[{arm}] ", end="")
    said = []
    try:
        for piece in run.stream(history, base=arm == "base", max_new_tokens=max_new_tokens):
            said.append(piece)
            print(visible_controls(piece), end="", flush=True)
    except KeyboardInterrupt:
        pass
    print()
    return "".join(said)
