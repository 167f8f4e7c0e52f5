import pytest

from nst.train.report.scale import Scale, fit_scale, suits_log


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2.5, 5, 7.5, 10]),
        (0.12, 0.31, [0.15, 0.2, 0.25, 0.3]),
        (0, 3000, [0, 1000, 2000, 3000]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (2.1, 4.9, [3, 4]),
        (2e-6, 9e-6, [2e-6, 4e-6, 6e-6, 8e-6]),
    ],
)
def test_linear_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert Scale(low, high, 0, 100).ticks(4) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.8, 55, [2, 5, 10, 20, 50]),
        (0.04, 4, [0.05, 0.1, 0.2, 0.5, 1, 2]),
        (1e-3, 1e3, [1e-3, 1e-2, 1e-1, 1, 10, 100, 1e3]),
        (1e-12, 1e12, [1e-12, 1e-8, 1e-4, 1, 1e4, 1e8, 1e12]),
        (2.1, 4.9, [3, 4]),
    ],
)
def test_logarithmic_ticks(low: float, high: float, expected: list[float]) -> None:
    assert Scale(low, high, 0, 100, log=True).ticks(5) == pytest.approx(expected)


def test_pixels() -> None:
    assert Scale(10, 20, 200, 100).px(15) == 150
    assert Scale(1, 100, 0, 100, log=True).px(10) == pytest.approx(50)


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [-2.0, 5.0], [1e-9, 2e-9]])
def test_all_values_are_within_a_linear_scale(values: list[float]) -> None:
    scale = fit_scale(values, 100, 0, log=False)
    assert all(0 <= scale.px(value) <= 100 for value in values)
    assert scale.ticks(4)


def test_a_scale_of_losses_does_not_go_below_0() -> None:
    assert fit_scale([0.01, 1.0], 100, 0, log=False).low == 0


def test_what_a_logarithmic_scale_suits() -> None:
    assert suits_log([50.0, 1.0])
    assert not suits_log([5.0, 1.0])
    assert not suits_log([5.0, 0.0])
    assert not suits_log([])
