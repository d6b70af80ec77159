"""The layers as an SVG that reads well on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from docs_tools.layers import LAYERS, PURPOSE, Imports, direct, layer_of

WIDTH, LEFT, ROW, BOX_WIDTH, BOX_HEIGHT = 1200, 48, 104, 214, 52
STYLE = """
  text { font-family: system-ui, sans-serif; fill: #1f2328 }
  .name { font-size: 15px; font-weight: 600 } .is { font-size: 10.5px; fill: #59636e }
  .layer { font-size: 13px; fill: #818b98 }
  .band { fill: #818b98; fill-opacity: .08 } .box { fill: #fff; stroke: #818b98 }
  .arrow { fill: none; stroke: #4a7ab5; stroke-width: 1.4 } .tip { fill: #4a7ab5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .is { fill: #9198a1 } .box { fill: #161b22; stroke: #6e7681 }
    .arrow { stroke: #79a8e0 } .tip { fill: #79a8e0 }
  }
"""
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A folder's place; x is its centre."""

    x: float
    top: float

    @property
    def bottom(self) -> float:
        return self.top + BOX_HEIGHT


def place() -> dict[str, Box]:
    """Folders of a layer spread evenly, the highest layer on top."""
    boxes = {}
    for number, folders in enumerate(LAYERS):
        step = (WIDTH - LEFT) / len(folders)
        for index, folder in enumerate(folders):
            top = (len(LAYERS) - 1 - number) * ROW + (ROW - BOX_HEIGHT) / 2
            boxes[folder] = Box(LEFT + step * (index + 0.5), top)
    return boxes


def gaps(layer: int, boxes: dict[str, Box]) -> list[float]:
    """Where an arrow can pass a layer: beside its boxes and between them."""
    centres = [boxes[folder].x for folder in LAYERS[layer]]
    margin = BOX_WIDTH / 2 + 12
    between = [(one + other) / 2 for one, other in pairwise(centres)]
    return [centres[0] - margin, *between, centres[-1] + margin]


def way_through(source: str, target: str, boxes: dict[str, Box]) -> list[Point]:
    """The gaps by which an arrow passes the layers between two boxes."""
    start, end = boxes[source], boxes[target]
    points: list[Point] = []
    for layer in range(layer_of(source) - 1, layer_of(target), -1):
        top = boxes[LAYERS[layer][0]].top
        share = (top - start.bottom) / (end.top - start.bottom)
        wanted = start.x + share * (end.x - start.x)
        x = min(gaps(layer, boxes), key=lambda gap: abs(gap - wanted))
        points += [(x, top - 6), (x, top + BOX_HEIGHT + 6)]
    return points


def _path(points: Sequence[Point]) -> str:
    """Curves that leave and arrive upright."""
    parts = [f"M{points[0][0]:.0f},{points[0][1]:.0f}"]
    for (x, y), (next_x, next_y) in pairwise(points):
        middle = (y + next_y) / 2
        parts.append(f"C{x:.0f},{middle:.0f} {next_x:.0f},{middle:.0f} {next_x:.0f},{next_y:.0f}")
    return f'<path class="arrow" marker-end="url(#tip)" d="{" ".join(parts)}"/>'


def _spread(count: int, index: int) -> float:
    """Where the index-th of so many arrows touches a box, from its centre."""
    return (index - (count - 1) / 2) * min(26.0, (BOX_WIDTH - 40) / max(count, 1))


def arrows(imports: Imports) -> list[str]:
    """All direct arrows, ordered at both ends by where they go, so that few of them cross."""
    boxes, found = place(), sorted(direct(imports))
    ways = {arrow: way_through(*arrow, boxes) for arrow in found}

    def leaves_towards(arrow: tuple[str, str]) -> float:
        return ways[arrow][0][0] if ways[arrow] else boxes[arrow[1]].x

    def comes_from(arrow: tuple[str, str]) -> float:
        return ways[arrow][-1][0] if ways[arrow] else boxes[arrow[0]].x

    lines = []
    for arrow in found:
        start, end = boxes[arrow[0]], boxes[arrow[1]]
        out = sorted((one for one in found if one[0] == arrow[0]), key=leaves_towards)
        into = sorted((one for one in found if one[1] == arrow[1]), key=comes_from)
        first = (start.x + _spread(len(out), out.index(arrow)), start.bottom)
        last = (end.x + _spread(len(into), into.index(arrow)), end.top - 7)
        lines.append(_path([first, *ways[arrow], last]))
    return lines


def draw(imports: Imports) -> str:
    """The whole picture."""
    height = ROW * len(LAYERS)
    boxes = place()
    bands = [
        f'<rect class="band" x="0" y="{(len(LAYERS) - 1 - number) * ROW + 6}" width="{WIDTH}" height="{ROW - 12}" '
        f'rx="10"/><text class="layer" x="22" y="{(len(LAYERS) - 1 - number) * ROW + ROW / 2 + 5:.0f}">{number}</text>'
        for number in range(len(LAYERS))
    ]
    cards = [
        f'<rect class="box" x="{box.x - BOX_WIDTH / 2:.0f}" y="{box.top:.0f}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="8"/>'
        f'<text class="name" text-anchor="middle" x="{box.x:.0f}" y="{box.top + 22:.0f}">{folder}</text>'
        f'<text class="is" text-anchor="middle" x="{box.x:.0f}" y="{box.top + 39:.0f}">{PURPOSE[folder]}</text>'
        for folder, box in boxes.items()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-label="The folders of burnish in layers, with arrows for imports">',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="tip" d="M0,0 L8,4 L0,8 z"/></marker></defs>',
            *bands,
            *arrows(imports),
            *cards,
            "</svg>\n",
        ]
    )
