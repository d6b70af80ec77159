"""How the rows of a file are laid out, and what is made of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.records import Row
from burnish.data.layout.fields import find, root
from burnish.data.layout.template import template_keys
from burnish.data.layout.turns import SYSTEMS
from burnish.data.settings import FormatName

TOOLS = ("tools", "functions")  # read where the prompt is a list of messages


@dataclass(frozen=True)
class Format:
    """How to read a row. The fields are keys of the row or paths; which of them are set depends on `name`.

    A template stands in for the key it is named after. `labels` are the names of answers that are written as numbers.
    """

    name: FormatName
    turns: str = ""
    text: str = ""
    prompt: str = ""
    context: str = ""
    history: str = ""
    choices: str = ""
    completion: str = ""
    rejected: str = ""
    score: str = ""
    template: str = ""
    completion_template: str = ""
    labels: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """The paths without which a row cannot be read."""
        plain = (self.turns, self.text, self.prompt, self.choices, self.completion, self.rejected, self.score)
        filled = (*template_keys(self.template), *template_keys(self.completion_template))
        return tuple(dict.fromkeys(path for path in (*plain, *filled) if path))

    @property
    def read(self) -> tuple[str, ...]:
        """All paths that are read."""
        return (*self.needed, *(path for path in (self.context, self.history) if path))

    def fits(self, keys: Sequence[str]) -> bool:
        """Whether rows with these keys can be read."""
        return all(root(path, keys) for path in self.needed)

    def unread(self, value: Mapping[str, Any]) -> list[str]:
        """The keys of a row that are left out; none where a grader reads what the prompt does not."""
        return [] if self.name == "prompts" else self.beside(value)

    def beside(self, value: Mapping[str, Any]) -> list[str]:
        """The keys of a row that stand beside those the format names."""
        keys = list(value)
        in_turns = self.turns or isinstance(find(value, self.prompt), list | dict)
        read = {root(path, keys) for path in self.read} | {*SYSTEMS, *(TOOLS if in_turns else ())}
        return [key for key in keys if key not in read]


@dataclass(frozen=True)
class Converted:
    """A row without id, source and group. `cut_turns` counts the messages after the last answer: nobody answered them,
    so there is nothing to learn."""

    row: Row
    cut_turns: int = 0
