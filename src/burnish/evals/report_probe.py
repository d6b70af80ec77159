"""The learning rates that were tried before training, drawn for the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from burnish.evals.report_plots import Axis, axis_around, element


def probe_curve(training: Mapping[str, Any]) -> tuple[Markup, str]:
    """Loss on dev by rate, and a sentence on the one that was taken; empty where none was probed."""
    tried = training.get("probe") or []
    finite = [(math.log2(one["rate"]), float(one["dev_loss"])) for one in tried if one["dev_loss"] is not None]
    if len(finite) < 2:
        return Markup(""), ""
    across, upward = axis_around([x for x, _ in finite], least=1.0), axis_around([y for _, y in finite], least=0.01)
    chosen = float(training["learning_rate"])
    lost = [f"{one['rate']:.2g}" for one in tried if one["dev_loss"] is None]
    note = f"Taken: {chosen:.2g}, the lowest rate whose loss is as good as the best."
    note += f" Diverged: {', '.join(lost)}." if lost else ""
    return _drawn(finite, across, upward, math.log2(chosen)), note


def _drawn(points: list[tuple[float, float]], across: Axis, upward: Axis, chosen: float) -> Markup:
    dots = [element("circle", cx=across.percent(x), cy=_height(upward, y), r="4", class_="dot dev") for x, y in points]
    rings = [element("circle", cx=across.percent(x), cy=_height(upward, y), r="8", class_="ring")
             for x, y in points if abs(x - chosen) < 0.01]  # fmt: skip
    rates = [element("text", f"{2**x:.2g}", x=across.percent(x), y="100%", dy="18", text_anchor="middle", class_="tick")
             for x, _ in points]  # fmt: skip
    losses = [element("text", f"{y:.3f}", x=across.percent(x), y=_height(upward, y), dy="-12", text_anchor="middle",
                      class_="tick") for x, y in points]  # fmt: skip
    label = "Loss on dev by learning rate: " + ", ".join(f"{2**x:.2g} gives {y:.3f}" for x, y in points) + "."
    return element("svg", *dots, *rings, *rates, *losses, class_="loss", width="100%", height="160", role="img",
                   aria_label=label)  # fmt: skip


def _height(upward: Axis, value: float) -> str:
    return f"{100 - 100 * (value - upward.start) / (upward.end - upward.start):.3f}%"
