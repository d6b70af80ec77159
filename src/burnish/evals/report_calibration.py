"""The reliability diagram: confidence across, share of right answers upward; on the diagonal they agree."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from burnish.evals.effects.records import Calibration
from burnish.evals.report_plots import Axis, element

SHARES = Axis(0.0, 1.0)
MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def reliability_plot(arms: Sequence[Calibration], specialist: str) -> Markup:
    """A line an arm with a dot for every bin; the specialist's with its intervals. Empty without any."""
    if not arms:
        return Markup("")
    lines = element(
        "svg",
        element("polyline", points="0,100 100,0", class_="diagonal", vector_effect="non-scaling-stroke"),
        *(_line(arm, "tuned" if arm.arm == specialist else arm.arm) for arm in arms),
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    grid = [element("line", x1="0", x2="100%", y1=_up(mark), y2=_up(mark), class_="grid") for mark in MARKS]
    numbers = [
        element("text", f"{mark:.0%}", x="-8", y=_up(mark), dy="4", text_anchor="end", class_="tick") for mark in MARKS
    ]
    numbers += [
        element("text", f"{mark:.0%}", x=f"{100 * mark:g}%", y="100%", dy="18", text_anchor="middle", class_="tick")
        for mark in MARKS
    ]
    dots = [dot for arm in arms for dot in _dots(arm, arm.arm == specialist)]
    label = "; ".join(f"{arm.arm}: calibration error {arm.ece:.3f}" for arm in arms)
    return element(
        "svg", *grid, lines, *dots, *numbers, class_="loss reliability", width="100%", height="260", role="img",
        aria_label=label,
    )  # fmt: skip


def _up(share: float) -> str:
    return f"{100 - 100 * share:.3f}%"


def _line(arm: Calibration, kind: str) -> Markup:
    points = " ".join(f"{100 * one.confidence:.2f},{100 - 100 * one.right.mean:.2f}" for one in arm.bins)
    return element("polyline", points=points, class_=f"curve {_class(kind)}", vector_effect="non-scaling-stroke")


def _class(arm: str) -> str:
    """Known arms have a class; an arm of any other name looks like the base."""
    return arm if arm in ("tuned", "prompted") else "base"


def _dots(arm: Calibration, ours: bool) -> list[Markup]:
    drawn = []
    for one in arm.bins:
        x = f"{100 * one.confidence:.3f}%"
        if ours:
            ends = {"y1": _up(one.right.low), "y2": _up(one.right.high)}
            drawn.append(element("line", x1=x, x2=x, **ends, class_="error tuned"))
        kind = _class("tuned" if ours else arm.arm)
        drawn.append(element("circle", cx=x, cy=_up(one.right.mean), r="4", class_=f"dot {kind}"))
    return drawn
