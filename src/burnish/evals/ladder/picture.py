"""Task gain against forgetting as a drawing of its own: upwards is more gain, to the left is less forgotten."""

from __future__ import annotations

from markupsafe import Markup

from burnish.evals.ladder.records import Ladder, Rung
from burnish.evals.report_plots import Axis, axis_around, element
from burnish.evals.wording import in_percent, metric_name, visible

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 20, 54
STYLE = """
  svg { font: 13px system-ui, sans-serif } text { fill: #1f1d1a } .tick { fill: #6b665d; font-size: 12px }
  .grid { stroke: #e3ded4 } .limit { stroke: #b02a1e; stroke-dasharray: 5 4 } .whisker { stroke: #a49d91 }
  .dot { fill: #a49d91 } .front { fill: #17714a } .line { fill: none; stroke: #17714a; stroke-opacity: .5 }
  .taken { stroke: #8f5f14; stroke-width: 3; fill: none } .paper { fill: #fbfaf7 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ece8e0 } .tick { fill: #a49d91 } .grid { stroke: #37332d } .paper { fill: #161513 }
    .front { fill: #5fc493 } .line { stroke: #5fc493 } .limit { stroke: #f08a7c } .taken { stroke: #dba84f }
  }
"""


def ladder_picture(ladder: Ladder) -> Markup:
    """An SVG file's text. Whiskers are the intervals; the rung that is recommended has a ring."""
    across = axis_around([0.0, ladder.limit, *(x for one in ladder.rungs for x in (one.least, one.most))], least=0.01)
    upward = axis_around([0.0, *(y for one in ladder.rungs for y in (one.low, one.high))], least=0.01)
    front = sorted((one for one in ladder.rungs if one.front), key=lambda one: one.forgetting)
    places = [(_x(across, one.forgetting), _y(upward, one.gain)) for one in front]
    line = element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), class_="line")
    return element(
        "svg",
        Markup(f"<style>{STYLE}</style>"),
        element("rect", width=WIDTH, height=HEIGHT, class_="paper"),
        *_grid(ladder, across, upward),
        line,
        *(mark for one in ladder.rungs for mark in _marks(one, across, upward, one.name == ladder.recommended)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"Task gain against forgetting of {len(ladder.rungs)} rungs. {visible(ladder.sentence)}",
    )


def _x(axis: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - axis.start) / (axis.end - axis.start)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - axis.start) / (axis.end - axis.start)


def _grid(ladder: Ladder, across: Axis, upward: Axis) -> list[Markup]:
    percent = in_percent(ladder.metric)
    lines: list[Markup] = []
    for y in upward.ticks():
        at = _y(upward, y)
        shown = f"{100 * y if percent else y:.4g}"
        lines.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
        lines.append(element("text", shown, x=LEFT - 8, y=at + 4, text_anchor="end", class_="tick"))
    for x in across.ticks():
        at = _x(across, x)
        lines.append(element("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid"))
        lines.append(element("text", f"{x:.4g}", x=at, y=HEIGHT - BOTTOM + 18, text_anchor="middle", class_="tick"))
    at = _x(across, ladder.limit)
    lines.append(element("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="limit"))
    below, middle = HEIGHT - 10, (TOP + HEIGHT - BOTTOM) / 2
    unit = ", points" if percent else ""
    lines.append(element("text", "forgotten: rise of the loss on general text, nats a token (dashed: the limit)",
                         x=(LEFT + WIDTH - RIGHT) / 2, y=below, text_anchor="middle"))  # fmt: skip
    lines.append(element("text", f"gain in {metric_name(ladder.metric)}{unit}", x=16, y=middle, text_anchor="middle",
                         transform=f"rotate(-90 16 {middle})"))  # fmt: skip
    return lines


def _marks(rung: Rung, across: Axis, upward: Axis, taken: bool) -> list[Markup]:
    x, y = _x(across, rung.forgetting), _y(upward, rung.gain)
    marks = [
        element("line", x1=_x(across, rung.least), x2=_x(across, rung.most), y1=y, y2=y, class_="whisker"),
        element("line", x1=x, x2=x, y1=_y(upward, rung.low), y2=_y(upward, rung.high), class_="whisker"),
        element("circle", cx=x, cy=y, r=5, class_="dot front" if rung.front else "dot"),
    ]
    if taken:
        marks.append(element("circle", cx=x, cy=y, r=10, class_="taken"))
    near_end = x > WIDTH - 120
    anchor = "end" if near_end else "start"
    return [*marks, element("text", visible(rung.name), x=x - 9 if near_end else x + 9, y=y - 8, text_anchor=anchor)]
