"""A shell script or text that calls TRL → the options of the call. Nothing is run and nothing is expanded but the
script's own plain variables."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from burnish.core.errors import RecipeError

METHODS = ("distillation", "online_dpo", "dpo_online", "nash_md", "reward", "grpo", "rloo", "orpo", "sft", "dpo", "kto",
           "cpo", "ppo", "prm", "gkd", "xpo", "bco", "tpo")  # fmt: skip
SCRIPT = re.compile(rf"(?:.*[/.])?(?:run_|train_)?({'|'.join(METHODS)})(?:_\w+)?(?:\.py)?")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
OPTION = re.compile(r"--?([A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
RUN_BY_SHELL = re.compile(r"\$\([^()]*\)|`[^`]*`")
OPERATORS = set("();<>|&")
LAUNCHERS = ("accelerate", "torchrun", "deepspeed", "python", "python3", "uv", "trl")


@dataclass(frozen=True)
class Call:
    """One call of a trainer.

    options: name with underscores → value. written: the same name → as it stands in the text, and likewise for
    `launch`, the options of the launcher. `environment` holds variables set for this call, `others` further lines of
    the script, by "line N".
    """

    method: str
    options: Mapping[str, Any]
    launch: Mapping[str, Any]
    written: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def read_script(text: str, name: str) -> Call | None:
    """The first call in a script; all else stands among its `others`. None where there is no call.

    Raises RecipeError: a quotation mark is never closed, or an option stands twice.
    """
    variables: dict[str, str] = {}
    found: list[Call] = []
    others: dict[str, str] = {}
    for number, line in logical_lines(text):
        for command in _commands(split(expanded(line, variables), f"{name}:{number}")):
            call = read_call(command, f"{name}:{number}")
            if call is not None and not found:
                found.append(call)
                continue
            before = others.get(f"line {number}")
            others[f"line {number}"] = (f"{before}; " if before else "") + " ".join(command)
            assigned = [ASSIGNMENT.fullmatch(word) for word in command if word != "export"]
            variables |= {match[1]: match[2] for match in assigned if match} if all(assigned) else {}
    return replace(found[0], others=others) if found else None


def expanded(line: str, variables: Mapping[str, str]) -> str:
    """The line with the script's own variables put in."""
    return VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), line)


def logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines joined where a backslash ends them, with the number of the first; comments of whole lines are left out."""
    lines: list[tuple[int, str]] = []
    open_line = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        ends = line.rstrip().endswith("\\")
        part = line.rstrip().removesuffix("\\") + " " if ends else line
        if open_line:
            lines[-1] = (lines[-1][0], lines[-1][1] + part)
        elif part.strip():
            lines.append((number, part))
        open_line = ends
    return lines


def split(line: str, where: str) -> list[str]:
    """The words of a line as a shell would split them. What the shell would run stays one word, unrun."""
    kept = RUN_BY_SHELL.sub(lambda match: shlex.quote(match[0]), line)
    try:
        lexer = shlex.shlex(kept, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        lexer.commenters = "#" if re.search(r"(^|\s)#", kept) else ""
        return list(lexer)
    except ValueError as error:
        raise RecipeError("A quotation mark is opened here and never closed.", where=where, seen=line[:80]) from error


def _commands(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word and set(word) <= OPERATORS:
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def read_call(command: list[str], where: str) -> Call | None:
    """The call in one command, or None where it is another command."""
    environment = {}
    while command and (match := ASSIGNMENT.fullmatch(command[0])):
        environment[match[1]] = match[2]
        command = command[1:]
    position = next((at for at, word in enumerate(command) if _names_method(command, at)), None)
    if position is None or not any(word.rsplit("/", 1)[-1] in LAUNCHERS for word in command[: position + 1]):
        return None
    match = SCRIPT.fullmatch(command[position])
    method = match[1] if match else ""
    launch, launch_written = read_options(command[:position], where)
    launch.pop("m", None)
    options, written = read_options(command[position + 1 :], where)
    return Call(method, options, launch, {**launch_written, **written}, environment)


def _names_method(command: list[str], at: int) -> bool:
    """`trl sft`, `…/sft.py` or `-m trl.scripts.sft`."""
    word, before = command[at], command[at - 1] if at else ""
    if not SCRIPT.fullmatch(word):
        return False
    return word.endswith(".py") or before.rsplit("/", 1)[-1] == "trl" or (before == "-m" and "." in word)


def read_options(words: list[str], where: str) -> tuple[dict[str, Any], dict[str, str]]:
    """`--key value`, `--key=value`, `--flag`, `--no_flag`, `--list a b` → values, and how each key was written.

    Raises RecipeError: an option stands twice.
    """
    options: dict[str, Any] = {}
    written: dict[str, str] = {}
    key = ""
    for word in words:
        match = OPTION.fullmatch(word)
        if match is None:
            if key:
                options[key] = [*options[key], word]
            continue
        key = match[1].replace("-", "_")
        if key in options:
            raise RecipeError(f"The option `--{match[1]}` stands twice.", where=where, next_move="keep one of them")
        options[key] = [] if match[2] is None else [match[2]]
        written[key] = word.partition("=")[0]
    return {key: _value(values) for key, values in options.items()}, written


def _value(values: list[str]) -> Any:
    found = [plain(value) for value in values]
    return True if not found else found[0] if len(found) == 1 else found


def plain(text: str) -> Any:
    """A number, truth value, list or mapping where the text is one; else the text."""
    words = {"true": True, "false": False}
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    if not re.fullmatch(r"\s*(-?\d.*|-?\.\d.*|\{.*\}|\[.*\])\s*", text, re.DOTALL):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
