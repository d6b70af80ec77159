"""The coloured view of a row: what the model reads, and what it is trained to say."""

from __future__ import annotations

from rich.text import Text

from burnish.render.renderer import Rendered, Renderer

LEGEND = "grey: read · green: learnt · inverse: special tokens"


def coloured(renderer: Renderer, rendered: Rendered) -> Text:
    """A rich text with each token in the colour of its weight. Bytes of a split character are shown together."""
    view = Text()
    special = set(renderer.special.values())
    for piece, style in _pieces(renderer, rendered, special):
        view.append(piece, style=style)
    return view


def _pieces(renderer: Renderer, rendered: Rendered, special: set[int]) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    waiting: list[int] = []
    for token, weight in zip(rendered.ids, rendered.weights, strict=True):
        colour = "bold green" if weight else "bright_black"
        if token in special:
            pieces.append((str(renderer.tokenizer.convert_ids_to_tokens(token)), f"reverse {colour}"))
            continue
        waiting.append(token)
        text = str(renderer.tokenizer.decode(waiting))
        if not text.endswith("\ufffd") or len(waiting) > 8:
            pieces.append((visible_controls(text), colour))
            waiting = []
    return pieces


def visible_controls(text: str) -> str:
    """Control characters as symbols, so that no row can steer the terminal. Line ends and tabs stay."""
    return "".join(c if c in "\n\t" or (c.isprintable() or c == " ") else f"\\x{ord(c):02x}" for c in text)


def summary(rendered: Rendered) -> str:
    """'212 tokens, 38 learnt'."""
    note = f", {rendered.turns_left_out} earlier turns left out" if rendered.turns_left_out else ""
    return f"{len(rendered.ids)} tokens, {rendered.trained} learnt{note}"
