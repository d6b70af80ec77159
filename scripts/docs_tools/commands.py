"""The reference of the command line, from the typer app itself, and of the exit codes, from the tree of errors."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from burnish.cli.main import app
from burnish.core import errors
from docs_tools.markdown import code, page, table

VALUES = {"--set": "KEY=VALUE", "--row": "N", "--max-new-tokens": "N", "--out": "FOLDER", "--data": "FILE"}


def commands_page() -> str:
    """The page of verbs."""
    root: Any = typer.main.get_command(app)
    sections = [_verb(name, command) for name, command in root.commands.items()]
    return page(
        "The command line",
        "`burnish VERB --help` says the same. `--debug` anywhere shows the traceback of an error.",
        "`RECIPE` is a YAML file, or the name or folder of a run. Without one, `--model` and `--data` are a whole "
        "recipe. Every setting of the [recipe reference](recipe.md) can be given with `--set`.",
        *sections,
        _exit_codes(),
    )


def _verb(name: str, command: Any) -> str:
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    usage = " ".join(["burnish", name, *map(_usage, parameters)])
    rows = [_row(parameter) for parameter in parameters]
    body = table(["argument or option", "default", "meaning"], rows) if rows else "No options."
    return f"## `burnish {name}`\n\n{command.help}\n\n```\n{usage}\n```\n\n{body}"


def _is_argument(parameter: Any) -> bool:
    return not str(parameter.opts[0]).startswith("-")


def _usage(parameter: Any) -> str:
    """A parameter in the line of usage: what may be left out stands in brackets."""
    if _is_argument(parameter):
        text = str(parameter.name).upper()
    else:
        option = str(parameter.opts[0])
        text = option if parameter.is_flag else f"{option} {VALUES.get(option, option.strip('-').upper())}"
    return text if parameter.required else f"[{text}]"


def _row(parameter: Any) -> tuple[str, str, str]:
    name = str(parameter.name).upper() if _is_argument(parameter) else ", ".join(parameter.opts)
    given = parameter.default
    shown = "" if given is None or parameter.required or given is False else str(given)
    return code(name), code(shown), " ".join(str(parameter.help or "").split())


def _exit_codes() -> str:
    """One line a class of error, by code."""
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.BurnishError)]
    rows = [("0", "", "Done.")]
    for one in sorted(classes, key=lambda found: (found.exit_code, found is not errors.BurnishError, found.__name__)):
        meaning = "A failure of ours, or not enough memory." if one is errors.BurnishError else str(one.__doc__)
        rows.append((str(one.exit_code), code(one.__name__), " ".join(meaning.split())))
    return "## Exit codes\n\n" + table(["code", "error", "meaning"], rows)
