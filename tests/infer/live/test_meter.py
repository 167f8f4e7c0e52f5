import pytest

from nst.infer.live.meter import Meter


def test_nothing_yet() -> None:
    meter = Meter()
    assert (meter.frames_per_s, meter.latency_s) == (0, 0)
    meter.add(5.0, 0.04)
    assert (meter.frames_per_s, meter.latency_s) == (0, 0.04)


def test_the_last_second_counts() -> None:
    meter = Meter()
    for number in range(20):
        meter.add(number / 10, 0.5)
    assert meter.frames_per_s == pytest.approx(10)
    for number in range(50):
        meter.add(2 + number / 25, 0.02 + 0.001 * (number % 2))
    assert meter.frames_per_s == pytest.approx(25)
    assert 0.02 <= meter.latency_s <= 0.021


def test_slow_frames_count_too() -> None:
    meter = Meter()
    for number in range(3):
        meter.add(4.0 * number, 0.1)
    assert meter.frames_per_s == pytest.approx(0.25)
