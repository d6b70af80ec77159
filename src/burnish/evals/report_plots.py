"""Small hand-made SVG drawings. Positions along x are percentages, so they fit any width and text keeps its size.

Colours come from the style sheet through classes; every attribute is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Points = Sequence[tuple[float, float]]

MOST_POINTS = 400


def element(name: str, *content: str, **attributes: str | float) -> Markup:
    """One SVG element. In attribute names `_` stands for `-`, and one at the end is dropped: `class_`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>") + Markup("").join(escape(part) for part in content) + Markup(f"</{name}>")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


@dataclass(frozen=True)
class Axis:
    """A range of values drawn over the width with a small margin at both ends."""

    start: float
    end: float

    def percent(self, value: float) -> str:
        """Where a value lies, as "37.5%"; values outside lie at the end."""
        share = (value - self.start) / (self.end - self.start)
        return f"{2 + 96 * min(1.0, max(0.0, share)):.3f}%"

    def ticks(self) -> list[float]:
        """Two to six round numbers inside the range."""
        step = 10.0 ** math.floor(math.log10((self.end - self.start) / 6))
        step *= next(factor for factor in (1, 2, 5, 10) if (self.end - self.start) / (step * factor) <= 6)
        first = math.ceil(self.start / step - 1e-9)
        return [index * step for index in range(first, math.floor(self.end / step + 1e-9) + 1)]


def axis_around(values: Sequence[float], *, least: float = 1e-6) -> Axis:
    """The range of the values, widened by a tenth and to at least `least`."""
    low, high = min(values), max(values)
    spare = max(0.1 * (high - low), (least - (high - low)) / 2, 1e-9)
    return Axis(low - spare, high + spare)


def interval_plot(
    mean: float, low: float, high: float, axis: Axis, *, label: str, kind: str = "", marks: Sequence[float] = ()
) -> Markup:
    """A dot with its interval on a line of the axis. `marks` are values with a line across, the first one stronger."""
    lines = [
        element("line", x1=axis.percent(mark), x2=axis.percent(mark), y1="0", y2="100%", class_=name)
        for mark, name in zip(marks, ("zero", *["margin"] * len(marks)), strict=False)
    ]
    ends = {"x1": axis.percent(low), "x2": axis.percent(high)}
    return element(
        "svg",
        element("line", x1="0", x2="100%", y1="50%", y2="50%", class_="track"),
        *lines,
        element("line", **ends, y1="50%", y2="50%", class_=f"whisker {kind}"),
        element("circle", cx=axis.percent(mean), cy="50%", r="6", class_=f"dot {kind}"),
        class_="interval",
        width="100%",
        height="30",
        role="img",
        aria_label=label,
    )


def tick_labels(axis: Axis, texts: Sequence[tuple[float, str]]) -> Markup:
    """The line of numbers below a group of interval plots."""
    labels = [
        element("text", text, x=axis.percent(value), y="14", text_anchor="middle", class_="tick")
        for value, text in texts
    ]
    return element("svg", *labels, class_="ticks", width="100%", height="20", aria_hidden="true")


def thinned(points: Points, most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most so many points: means over neighbours of equal number."""
    size = math.ceil(len(points) / most) if points else 1
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _line(points: Points, across: Axis, upward: Axis, kind: str) -> Markup:
    places = " ".join(
        f"{100 * (x - across.start) / (across.end - across.start):.2f},"
        f"{100 - 100 * (y - upward.start) / (upward.end - upward.start):.2f}"
        for x, y in points
    )
    return element("polyline", points=places, class_=f"curve {kind}", vector_effect="non-scaling-stroke")


def _height(axis: Axis, value: float) -> str:
    return f"{100 - 100 * (value - axis.start) / (axis.end - axis.start):.3f}%"


def _width(axis: Axis, value: float) -> str:
    return f"{100 * (value - axis.start) / (axis.end - axis.start):.3f}%"


def loss_curve(train: Points, dev: Points, *, chosen_step: float | None) -> Markup:
    """Training loss by step, the loss on dev where it was measured, and the step that was kept.

    Empty when there are fewer than two training points.
    """
    train = thinned(train)
    if len(train) < 2:
        return Markup("")
    steps = [x for x, _ in (*train, *dev)]
    across = Axis(min(steps), max(steps))
    upward = axis_around([y for _, y in (*train, *dev)], least=0.01)
    grid = [
        element("line", x1="0", x2="100%", y1=_height(upward, y), y2=_height(upward, y), class_="grid")
        for y in upward.ticks()
    ]
    numbers = [
        element("text", f"{y:.4g}", x="-8", y=_height(upward, y), dy="4", text_anchor="end", class_="tick")
        for y in upward.ticks()
    ]
    numbers += [
        element("text", f"{x:.4g}", x=_width(across, x), y="100%", dy="18", text_anchor="middle", class_="tick")
        for x in across.ticks()
    ]
    curves = element(
        "svg",
        _line(train, across, upward, "train"),
        _line(dev, across, upward, "dev") if len(dev) > 1 else "",
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    dots = [element("circle", cx=_width(across, x), cy=_height(upward, y), r="4", class_="dot dev") for x, y in dev]
    return element(
        "svg",
        *grid,
        curves,
        *dots,
        *_chosen(dev, across, upward, chosen_step),
        *numbers,
        class_="loss",
        width="100%",
        height="240",
        role="img",
        aria_label=_curve_label(train, dev, chosen_step),
    )


def _chosen(dev: Points, across: Axis, upward: Axis, step: float | None) -> list[Markup]:
    """A line at the kept step and a ring round its loss on dev."""
    if step is None or not across.start <= step <= across.end:
        return []
    x = _width(across, step)
    rings = [element("circle", cx=x, cy=_height(upward, y), r="8", class_="ring") for place, y in dev if place == step]
    return [element("line", x1=x, x2=x, y1="0", y2="100%", class_="chosen"), *rings]


def _curve_label(train: Points, dev: Points, chosen_step: float | None) -> str:
    text = f"Training loss from {train[0][1]:.3f} to {train[-1][1]:.3f}"
    text += f"; loss on dev from {dev[0][1]:.3f} to {dev[-1][1]:.3f}" if dev else ""
    return text + (f"; step {chosen_step:g} was kept." if chosen_step is not None else ".")
