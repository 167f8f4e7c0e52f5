import pytest
import torch

from nst.train.wording import (
    clock_duration,
    data_size,
    device_name,
    rough_duration,
    short_number,
    spoken_duration,
)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (754, "12 min 34 s"), (7259, "2 h 0 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert spoken_duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(7.4, "7 s"), (89, "89 s"), (754, "13 min"), (5340, "89 min"), (7500, "2 h 05 min")],
)
def test_estimates(seconds: float, expected: str) -> None:
    assert rough_duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(7.2, "0:07"), (247, "4:07"), (7500, "2 h 05 min")]
)
def test_clocks(seconds: float, expected: str) -> None:
    assert clock_duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (1234.5, "1,234"),
        (-3, "-3"),
        (4e-6, "4×10⁻⁶"),  # noqa: RUF001 - the sign of multiplication
        (1.5e9, "1.5×10⁹"),  # noqa: RUF001
    ],
)
def test_numbers(value: float, expected: str) -> None:
    assert short_number(value) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 bytes"), (999, "999 bytes"), (4100, "4.1 kB"), (2_300_000, "2.3 MB"), (5e9, "5.0 GB")],
)
def test_sizes(size: int, expected: str) -> None:
    assert data_size(size) == expected


def test_devices() -> None:
    threads = torch.get_num_threads()
    assert device_name(torch.device("cpu")).startswith(f"CPU, {threads} thread")
    assert device_name(torch.device("cpu"), count=2).startswith(f"2 x CPU, {threads} thread")
