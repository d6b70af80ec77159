"""The coloured view of a row, token by token, for a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from burnish.core.records import Pair, Row
from burnish.data.review.view import Token, TokenView
from burnish.render.renderer import Rendered, Renderer
from burnish.render.show import coloured, summary


def token_views(renderer: Renderer) -> Callable[[Row], Sequence[TokenView]]:
    """What `burnish show` prints, as tokens: of a pair the chosen answer, then the rejected one."""

    def views(row: Row) -> Sequence[TokenView]:
        if isinstance(row, Pair):
            pair = renderer.pair(row)
            return [_view(renderer, pair.chosen, "chosen"), _view(renderer, pair.rejected, "rejected")]
        return [_view(renderer, renderer.row(row), "")]

    return views


def _view(renderer: Renderer, rendered: Rendered, title: str) -> TokenView:
    view = coloured(renderer, rendered)
    tokens = [
        Token(view.plain[span.start : span.end], "green" in str(span.style), "reverse" in str(span.style))
        for span in view.spans
    ]
    return TokenView(title, summary(rendered), tuple(tokens))
