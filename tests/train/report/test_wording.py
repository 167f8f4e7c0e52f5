import pytest

from nst.train.report.wording import file_size, short_number, spoken_duration


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (754, "12 min 34 s"), (7259, "2 h 0 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert spoken_duration(seconds) == expected


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
    assert file_size(size) == expected
