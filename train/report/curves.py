"""The losses of a run as charts."""

import bisect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from nst.train.callbacks.history import TERMS, Row
from nst.train.report.chart import Chart, Line, Point, draw
from nst.train.report.scale import suits_log

MOST_POINTS = 400
"""Of a line; a longer history is averaged."""
SMOOTHED_SHARE = 1 / 12
"""Of the points of a line: over how many the smoothed one averages."""

KNOB = "knob"

Stretch = tuple[str, list[Point]]
"""Kind of the rows, and points (step, value)."""

TITLES = {
    "total": "total, the weighted sum",
    "total_variation": "total variation",
    "stability": "stability on moving pictures",
    "grid": "grid of 4x4 pixels",
}


def loss_charts(rows: Sequence[Row], training: Mapping[str, Any]) -> list[Chart]:
    """A chart for each term that was used, and one for the learning rate.

    Args:
        rows: of the history.
        training: what the checkpoint says of the training; a term that it gives no weight is left
            out.
    Returns:
        None at all without rows.
    """
    if not rows:
        return []
    last_step, clock = rows[-1].step, clock_of(rows)
    bands = [(first, last) for kind, first, last in phases(rows) if kind == KNOB]
    charts = []
    for term in TERMS:
        if term == "total_variation" and not training.get("tv_weight"):
            continue
        found = series((row, row.terms.get(term)) for row in rows)
        if found:
            log = suits_log([value for _, points in found for _, value in points])
            lines = raw_and_smoothed(found, log=log)
            title = TITLES.get(term, term)
            charts.append(
                draw(title, lines, last_step=last_step, clock=clock, bands=bands, log=log)
            )
    rates = series((row, row.learning_rate) for row in rows)
    lines = [Line(f"smooth {kind}", points) for kind, points in rates]
    charts.append(draw("learning rate", lines, last_step=last_step, clock=clock, bands=bands))
    return charts


def raw_and_smoothed(found: Sequence[Stretch], *, log: bool) -> list[Line]:
    """Two lines for each stretch; the raw ones first, below the others."""
    raw = [Line(f"raw {kind}", points) for kind, points in found]
    return raw + [Line(f"smooth {kind}", smoothed(points, log=log)) for kind, points in found]


def series(values: Iterable[tuple[Row, float | None]]) -> list[Stretch]:
    """Stretches of rows of one kind that have finite values.

    Args:
        values: rows, and what is to be drawn of each.
    """
    found = []
    for kind, stretch in groupby(values, key=lambda each: each[0].kind):
        points = [
            (float(row.step), value)
            for row, value in stretch
            if value is not None and math.isfinite(value)
        ]
        if points:
            found.append((kind, thinned(points)))
    return found


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most 400 points, means of those that follow each other."""
    size = math.ceil(len(points) / MOST_POINTS)
    chunks = (points[start : start + size] for start in range(0, len(points), size))
    return [
        (mean(step for step, _ in chunk), mean(value for _, value in chunk)) for chunk in chunks
    ]


def smoothed(points: Sequence[Point], *, log: bool) -> list[Point]:
    """A moving mean; towards both ends over fewer points, as many on either side.

    Args:
        points: step and value.
        log: take the geometric mean, as it looks right on a logarithmic scale.
    """
    reach = max(1, round(len(points) * SMOOTHED_SHARE / 2))
    values = [math.log(value) if log else value for _, value in points]
    found = []
    for index, (step, _) in enumerate(points):
        near = min(reach, index, len(points) - 1 - index)
        value = mean(values[index - near : index + near + 1])
        found.append((step, math.exp(value) if log else value))
    return found


def phases(rows: Sequence[Row]) -> list[tuple[str, float, float]]:
    """Kind, first and last step of each stretch of rows of one kind."""
    found = []
    before = 0.0
    for kind, stretch in groupby(rows, key=lambda row: row.kind):
        last = float(list(stretch)[-1].step)
        found.append((kind, before, last))
        before = last
    return found


def clock_of(rows: Sequence[Row]) -> Callable[[float], float]:
    """Step to seconds of training, straight between the rows."""
    steps = [0, *(row.step for row in rows)]
    seconds = [0.0, *(row.seconds for row in rows)]

    def clock(step: float) -> float:
        after = min(max(1, bisect.bisect_left(steps, step)), len(steps) - 1)
        low, high = steps[after - 1], steps[after]
        share = (step - low) / (high - low) if high > low else 1.0
        return seconds[after - 1] + share * (seconds[after] - seconds[after - 1])

    return clock


def mean(values: Iterable[float]) -> float:
    """Of at least one value."""
    found = list(values)
    return sum(found) / len(found)
