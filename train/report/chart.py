"""Where lines, ticks and bands of a chart stand; the template draws them as SVG."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nst.train.report.scale import Scale, fit_scale
from nst.train.wording import short_number, spoken_duration

X_TICKS, Y_TICKS = 4, 5
"""About how many of them."""

Point = tuple[float, float]


class Frame(NamedTuple):
    """Size of a chart, and where in it the plot is; in the units of the SVG."""

    width_px: float
    height_px: float
    left_px: float
    right_px: float
    top_px: float
    bottom_px: float


FRAME = Frame(520, 290, left_px=62, right_px=506, top_px=14, bottom_px=232)


class Line(NamedTuple):
    """A line to be drawn: its CSS class, and points (step, value)."""

    style: str
    points: Sequence[Point]


class Tick(NamedTuple):
    """Where it is, its label, and a second one below, which may be empty."""

    px: float
    label: str
    below: str = ""


class Band(NamedTuple):
    """A stretch of the plot with another ground: left edge and width in pixels."""

    left_px: float
    width_px: float


class Chart(NamedTuple):
    """All that the template needs.

    Attributes:
        title: what is drawn.
        about: one line for those who cannot see it.
        scale: linear or logarithmic, of the y axis.
        x_ticks, y_ticks: from low to high.
        paths: CSS class and the ``d`` of an SVG path.
        bands: behind the lines.
    """

    title: str
    about: str
    scale: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    paths: list[tuple[str, str]]
    bands: list[Band]


def draw(
    title: str,
    lines: Sequence[Line],
    *,
    last_step: int,
    clock: Callable[[float], float],
    bands: Sequence[tuple[float, float]] = (),
    log: bool = False,
) -> Chart:
    """Lay out a chart over the steps of a run.

    Args:
        title: what is drawn.
        lines: with finite values, at least one of them not empty; later ones over earlier ones.
        last_step: where the x axis ends.
        clock: step to seconds of training.
        bands: first and last step of each.
        log: draw the values on a logarithmic scale; they have to be above 0 for that.
    """
    values = [value for line in lines for _, value in line.points]
    x = Scale(0, max(1, last_step), FRAME.left_px, FRAME.right_px)
    y = fit_scale(values, FRAME.bottom_px, FRAME.top_px, log=log)
    newest = lines[-1].points[-1][1]
    return Chart(
        title,
        f"{title}: from {short_number(min(values))} to {short_number(max(values))}, "
        f"{short_number(newest)} at the end",
        "logarithmic" if y.log else "linear",
        [
            Tick(x.px(step), f"{step:,.0f}", spoken_duration(clock(step)))
            for step in x.ticks(X_TICKS)
            if step == int(step)
        ],
        [Tick(y.px(value), short_number(value)) for value in y.ticks(Y_TICKS)],
        [(line.style, path(line.points, x, y)) for line in lines],
        [Band(x.px(first), x.px(last) - x.px(first)) for first, last in bands],
    )


def path(points: Sequence[Point], x: Scale, y: Scale) -> str:
    """The ``d`` of an SVG path. A single point becomes a dot, as round caps draw it."""
    corners = [f"{x.px(step):.1f},{y.px(value):.1f}" for step, value in points]
    if len(corners) == 1:
        corners *= 2
    return f"M{'L'.join(corners)}"
