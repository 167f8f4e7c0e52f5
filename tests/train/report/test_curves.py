import math

import pytest

from nst.train.callbacks.history import Row
from nst.train.report.curves import clock_of, loss_charts, phases, series, smoothed, thinned


def row(step: int, kind: str = "loss", **terms: float) -> Row:
    return Row(step, 2.0 * step, 0.001, kind, {"total": 1.0, **terms})


def test_a_smoothed_line_is_the_mean_around_each_point() -> None:
    points = [(float(step), value) for step, value in enumerate([0, 0, 9, 0, 0, 0])]
    assert smoothed(points, log=False) == [(0, 0), (1, 3), (2, 3), (3, 3), (4, 0), (5, 0)]
    geometric = smoothed([(0, 1), (1, 1), (2, 1000)], log=True)
    assert [value for _, value in geometric] == pytest.approx([1, 10, 1000])


def test_a_straight_line_stays_as_it_is() -> None:
    values = [3.0 * step for step in range(100)]
    found = smoothed(list(enumerate(values)), log=False)
    assert [value for _, value in found] == pytest.approx(values)


def test_a_long_history_is_averaged() -> None:
    points = thinned([(float(step), float(step % 2)) for step in range(10_000)])
    assert len(points) == 400
    assert points[0] == pytest.approx((12, 12 / 25))


def test_stretches_are_apart_and_without_what_is_no_number() -> None:
    rows = [row(10), row(20), row(30, "knob"), row(40)]
    values = [1.0, math.nan, 3.0, None]
    assert series(zip(rows, values, strict=True)) == [("loss", [(10, 1.0)]), ("knob", [(30, 3.0)])]
    assert phases(rows) == [("loss", 0, 20), ("knob", 20, 30), ("loss", 30, 40)]


def test_the_clock_goes_straight_between_rows() -> None:
    clock = clock_of([row(10), row(20)])
    assert [clock(step) for step in (0, 5, 10, 20)] == [0, 10, 20, 40]


def test_terms_that_were_not_used_have_no_chart() -> None:
    rows = [row(10, content=0.5, style=0.1, total_variation=0.2), row(20, content=0.4, style=0.1)]
    titles = [chart.title.split(",")[0] for chart in loss_charts(rows, {})]
    assert titles == ["total", "content", "style", "learning rate"]
    titles = [chart.title for chart in loss_charts(rows, {"tv_weight": 1e-4})]
    assert "total variation" in titles
    assert loss_charts([], {}) == []


def test_values_of_very_different_size_have_a_logarithmic_scale() -> None:
    total, content, _ = loss_charts(
        [row(10, total=100, content=2.0), row(20, total=1, content=1.0)], {}
    )
    assert total.scale == "logarithmic"
    assert content.scale == "linear"
    assert [tick.label for tick in total.y_ticks] == ["1", "2", "5", "10", "20", "50", "100"]
    assert (total.x_ticks[0].label, total.x_ticks[0].below) == ("0", "0 s")
    assert (total.x_ticks[-1].label, total.x_ticks[-1].below) == ("20", "40 s")
