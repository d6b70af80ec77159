"""The layout of a file's rows, found by looking at their keys."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import DataError
from burnish.data.read import Raw
from burnish.data.settings import DataSettings, FormatName
from burnish.data.shape import are_labels

LOOKED_AT = 50
TURNS = ("messages", "conversations", "conversation")
PROMPTS = (
    "prompt",
    "question",
    "query",
    "instruction",
    "input",
    "text",
    "sentence",
    "source",
    "mr",
    "document",
    "article",
)
COMPLETIONS = (
    "completion",
    "response",
    "answer",
    "output",
    "target",
    "label",
    "category",
    "intent",
    "class",
    "summary",
    "ref",
)
# A question about one of these means little without it, so they are never left out unasked.
CONTEXTS = ("context", "passage", "document", "article", "choices", "options")
PREFERENCES = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class Format:
    """How to read a row. The fields are keys of the row; which of them are set depends on `name`."""

    name: FormatName
    turns: str = ""  # messages, sharegpt
    text: str = ""  # text
    prompt: str = ""  # prompt_completion, columns; the instruction of alpaca
    context: str = ""  # alpaca's optional input
    completion: str = ""  # of a preference the chosen answer
    rejected: str = ""  # preference
    template: str = ""  # columns: stands in for `prompt`

    @property
    def needed_keys(self) -> tuple[str, ...]:
        keys = (self.turns, self.text, self.prompt, self.completion, self.rejected, *template_keys(self.template))
        return tuple(key for key in keys if key)


def template_keys(template: str) -> tuple[str, ...]:
    """The columns that a template names."""
    return tuple(match[1] for match in PLACEHOLDER.finditer(template) if match[1] is not None)


def recognise(raws: Sequence[Raw], settings: DataSettings, name: str, like: Format | None = None) -> Format:
    """The format of a file's rows; `like`, the format of the train file, wins where its keys are there.

    Raises DataError: no format fits, or more than one could; it lists the keys and the recipe line to write.
    """
    counts = Counter(key for raw in raws[:LOOKED_AT] for key in raw.value)
    keys = [key for key, count in counts.items() if 2 * count >= min(len(raws), LOOKED_AT)]
    if like is not None and all(key in keys for key in like.needed_keys):
        return like
    if settings.prompt or settings.completion or settings.template:
        return _by_columns(keys, settings, name)
    for found in _candidates(keys, raws):
        if settings.format in ("auto", found.name):
            _refuse_unread_context(found, keys, name)
            return found
    if settings.format != "auto":
        raise _cannot_tell(f"These rows are not laid out as `{settings.format}`.", keys, name)
    question = _first(PROMPTS, keys)
    what = (
        f"The question may be {question!r}, but no key"
        if question
        else "Cannot tell which key holds the question and which"
    )
    raise _cannot_tell(f"{what} holds the answer.", keys, name)


def _candidates(keys: Sequence[str], raws: Sequence[Raw]) -> Iterator[Format]:
    """Formats that fit, the most telling first."""
    for better, worse in PREFERENCES:
        chosen, rejected = _first((better,), keys), _first((worse,), keys)
        if chosen and rejected:
            yield Format("preference", prompt=_first(PROMPTS, keys), completion=chosen, rejected=rejected)
    turns = _first(TURNS, keys)
    style = _style_of_turns([raw.value.get(turns) for raw in raws[:LOOKED_AT]]) if turns else None
    if style is not None:
        yield Format(style, turns=turns)
    instruction, output = _first(("instruction",), keys), _first(("output", "response"), keys)
    if instruction and output:
        context = _first(("input", "context"), keys)
        yield Format("alpaca", prompt=instruction, context=context, completion=output)
    prompt, completion = _first(PROMPTS, keys), _first(COMPLETIONS, keys)
    if prompt and completion:
        yield Format("prompt_completion", prompt=prompt, completion=completion)
    text = _first(("text",), keys)
    if text:
        yield Format("text", text=text)
    if len(keys) == 2 and (label := _label_column(keys, raws)):
        prompt = keys[1 - keys.index(label)]
        yield Format("prompt_completion", prompt=prompt, completion=label)


def _first(names: Sequence[str], keys: Sequence[str]) -> str:
    """The first of `names` that is a key, in the key's own spelling; "" when none is."""
    by_name = {key.strip().lower(): key for key in reversed(keys)}
    return next((by_name[name] for name in names if name in by_name), "")


def _style_of_turns(values: Sequence[Any]) -> FormatName | None:
    """OpenAI's role and content, or ShareGPT's from and value."""
    turns = next((value for value in values if isinstance(value, list) and value and isinstance(value[0], dict)), None)
    if turns is None:
        return None
    return "messages" if "role" in turns[0] else "sharegpt" if "from" in turns[0] else None


def _label_column(keys: Sequence[str], raws: Sequence[Raw]) -> str:
    """Of two columns of strings the one with few, repeated values; "" when none or both are such."""
    strings = {key: [value for raw in raws if isinstance(value := raw.value.get(key), str)] for key in keys}
    if any(len(values) < len(raws) for values in strings.values()):
        return ""
    labels = [key for key in keys if are_labels(strings[key])]
    return labels[0] if len(labels) == 1 else ""


def _by_columns(keys: Sequence[str], settings: DataSettings, name: str) -> Format:
    template = settings.template or ""
    named = [key for key in (settings.prompt, settings.completion, *template_keys(template)) if key is not None]
    for key in named:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
            raise DataError(
                f"There is no column {key!r}.",
                where=name,
                seen=f"columns: {_listed(keys)}",
                next_move=f"did you mean {near[0]!r}?" if near else "name one of these columns",
            )
    free = [key for key in keys if key not in named]
    prompt = settings.prompt or ("" if template else _first(PROMPTS, free))
    completion = settings.completion or _first(COMPLETIONS, free)
    if not completion or not (prompt or template):
        raise _cannot_tell(
            f"`{'prompt' if completion else 'completion'}` is missing beside the columns named.", keys, name
        )
    return Format("columns", prompt=prompt, completion=completion, template=template)


def _refuse_unread_context(found: Format, keys: Sequence[str], name: str) -> None:
    context = _first(CONTEXTS, [key for key in keys if key != found.prompt])
    if found.name == "prompt_completion" and context:
        raise DataError(
            f"The prompt is {found.prompt!r}, but there is {context!r} too, which the answer may need.",
            where=name,
            seen=f"keys: {_listed(keys)}",
            next_move=f"join them with template: '{{{context}}}\\n\\n{{{found.prompt}}}', "
            f"or leave it out with prompt: {found.prompt}",
        )


def _cannot_tell(what: str, keys: Sequence[str], name: str) -> DataError:
    prompt = _first(PROMPTS, keys) or "KEY"
    completion = _first(COMPLETIONS, keys) or "KEY"
    return DataError(
        what,
        where=name,
        seen=f"keys: {_listed(keys)}",
        next_move="name the question's and the answer's key, as in "
        f"data: {{train: {name}, prompt: {prompt}, completion: {completion}}}",
    )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(repr(key) for key in keys[:20]) or "none that most rows share"


def unread_keys(found: Format, value: Mapping[str, Any]) -> list[str]:
    """The keys of a row that the format leaves out."""
    read = {*found.needed_keys, found.context, "system"}
    return [key for key in value if key not in read]
