"""The expected answer as the model would have to write it."""

from __future__ import annotations

from burnish.core.records import Chat
from burnish.render.renderer import Renderer


def answer_ids(renderer: Renderer, row: Chat) -> list[int]:
    """The ids of the last turn that training learns, its end included: those after the last id of another message."""
    rendered = renderer.row(row)
    last = len(row.messages) - 1
    return [
        token
        for token, weight, message in zip(rendered.ids, rendered.weights, rendered.message_T, strict=True)
        if weight and message == last
    ]
