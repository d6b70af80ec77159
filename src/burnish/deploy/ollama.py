"""An Ollama Modelfile beside the GGUF: which file, which template, where to stop.

Ollama writes templates in Go's language. One is derived only where it is certain: the model's own template must render
the probes below exactly as one of the known families of turns does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burnish.core.errors import DataError
from burnish.core.records import Message
from burnish.render.renderer import Renderer

LARGEST_CONTEXT = 8192  # the cache grows with it; more can be asked for by hand
PROBES: tuple[tuple[Message, ...], ...] = (
    (Message("system", "Be brief."), Message("user", "Hi?")),
    (Message("system", "S"), Message("user", "a b\nc"), Message("assistant", "d\n\ne"), Message("user", "f")),
)
WITHOUT_SYSTEM: tuple[tuple[Message, ...], ...] = (
    (Message("user", "Hi?"),),
    (Message("user", "a"), Message("assistant", "b"), Message("user", "c: {{ d }}")),
)


@dataclass(frozen=True)
class Family:
    """Turns of one shape: `before` + role + `between` + content + `after`, then the beginning of the answer."""

    name: str
    before: str
    between: str
    after: str
    system: bool = True  # has a turn for the system message
    assistant: str = "assistant"  # how the template calls that role
    default_system: str = ""

    def text(self, messages: Sequence[Message]) -> str:
        """What a template of this family renders, with the beginning of the answer and without BOS."""
        if self.default_system and messages[0].role != "system":
            messages = (Message("system", self.default_system), *messages)
        turns = "".join(f"{self.before}{self._role(m)}{self.between}{m.content}{self.after}" for m in messages)
        return f"{turns}{self.before}{self.assistant}{self.between}"

    def go_template(self) -> str:
        """The same in Go's template language, as Ollama fills it."""
        role = "{{ .Role }}"
        if self.assistant != "assistant":
            role = f'{{{{ if eq .Role "assistant" }}}}{self.assistant}{{{{ else }}}}{{{{ .Role }}}}{{{{ end }}}}'
        turn = f"{self.before}{role}{self.between}{{{{ .Content }}}}{self.after}"
        return f"{{{{- range .Messages }}}}{turn}{{{{ end }}}}{self.before}{self.assistant}{self.between}"

    def _role(self, message: Message) -> str:
        return self.assistant if message.role == "assistant" else message.role


FAMILIES = (
    Family("chatml", "<|im_start|>", "\n", "<|im_end|>\n"),
    Family("llama3", "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>"),
    Family("gemma", "<start_of_turn>", "\n", "<end_of_turn>\n", system=False, assistant="model"),
)


def modelfile(
    file_name: str, renderer: Renderer, context: int, *, adapter: str | None = None, licence: str = ""
) -> str:
    """The text of the Modelfile for a GGUF, of a name in the same folder or absolute, and an adapter beside it.
    `licence`: what the base states, "" for nothing."""
    family = recognised(renderer)
    lines = [f"FROM {file_name if Path(file_name).is_absolute() else f'./{file_name}'}"]
    lines += [f"ADAPTER ./{adapter}"] if adapter else []
    if family is None:
        lines.append(
            "# No TEMPLATE: this model's has no certain form in Ollama's language. Ollama reads the one in the"
        )
        lines.append(
            "# GGUF where it knows it: compare `ollama show --template` with it before you rely on the answers."
        )
    else:
        lines.append(f'TEMPLATE """{family.go_template()}"""')
        if family.default_system:
            lines.append(f'SYSTEM """{family.default_system}"""')
    names = [str(renderer.tokenizer.convert_ids_to_tokens(index)) for index in sorted(renderer.stop_ids)]
    lines += [f'PARAMETER stop "{name}"' for name in names if name.isprintable() and '"' not in name]
    # A penalty for repetition, which Ollama may have by default, gives other answers than those that were judged.
    lines += ["PARAMETER temperature 0", "PARAMETER repeat_penalty 1"]
    lines.append(f"PARAMETER num_ctx {min(context, LARGEST_CONTEXT)}")
    lines += [f'LICENSE """{licence}"""'] if licence and '"""' not in licence else []
    return "\n".join(lines) + "\n"


def recognised(renderer: Renderer) -> Family | None:
    """The family of the model's template, where every probe agrees; else None."""
    for family in FAMILIES:
        for candidate in (family, _with_default_system(renderer, family)):
            if candidate and _agrees(renderer, candidate):
                return candidate
    return None


def _with_default_system(renderer: Renderer, family: Family) -> Family | None:
    """The family with the system message that the template writes when there is none."""
    head = f"{family.before}system{family.between}"
    text = _rendered(renderer, WITHOUT_SYSTEM[0])
    if not family.system or text is None or not text.startswith(head):
        return None
    default = text.removeprefix(head).split(family.after)[0]
    return replace(family, default_system=default) if default and '"""' not in default else None


def _agrees(renderer: Renderer, family: Family) -> bool:
    probes = WITHOUT_SYSTEM + (PROBES if family.system else ())
    return all(_rendered(renderer, probe) == family.text(probe) for probe in probes)


def _rendered(renderer: Renderer, messages: Sequence[Message]) -> str | None:
    """The template's text without BOS, which Ollama's tokenizer adds; None where the template refuses."""
    try:
        text = renderer.text(messages, generation_prompt=True)
    except DataError:
        return None
    bos = renderer.tokenizer.bos_token
    families_begin = tuple(family.before for family in FAMILIES)
    return text.removeprefix(bos) if bos and bos not in families_begin else text
