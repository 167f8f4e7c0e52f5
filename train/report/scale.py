"""From values to pixels, and the ticks between."""

import math
from typing import NamedTuple

LOG_FROM_RATIO = 8.0
"""How many times the lowest value the highest has to be for a logarithmic scale."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""What ticks are apart, times a power of ten."""


class Scale(NamedTuple):
    """One axis.

    Attributes:
        low, high: values at its ends; above 0 where it is logarithmic.
        start_px, end_px: where they are.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    start_px: float
    end_px: float
    log: bool = False

    def px(self, value: float) -> float:
        """Where a value is."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start_px + (self.end_px - self.start_px) * (value - low) / (high - low)

    def ticks(self, count: int) -> list[float]:
        """About ``count`` round values between the ends."""
        if self.log and (found := log_ticks(self.low, self.high, count)):
            return found
        return linear_ticks(self.low, self.high, count)


def suits_log(values: list[float]) -> bool:
    """Whether values are above 0 and of so different a size that a linear scale hides most."""
    return bool(values) and 0 < LOG_FROM_RATIO * min(values) < max(values)


def fit_scale(values: list[float], start_px: float, end_px: float, *, log: bool) -> Scale:
    """An axis for values, with a margin.

    Args:
        values: finite, at least one; above 0 for a logarithmic axis.
        start_px: where the axis begins,
        end_px: and where it ends.
        log: whether it is to be logarithmic.
    """
    low, high = min(values), max(values)
    if log:
        return Scale(low / 1.1, high * 1.1, start_px, end_px, log=True)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    bottom = low - margin
    return Scale(max(0.0, bottom) if low >= 0 else bottom, high + margin, start_px, end_px)


def linear_ticks(low: float, high: float, count: int) -> list[float]:
    """Multiples of a round number from ``low`` to ``high``, at most ``count`` and one more."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in STEPS if each * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """1, 2 and 5 times powers of ten, or powers alone where that would be too many.

    Returns:
        None at all where the values lie between two of them.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [float(f"{factor}e{exponent}") for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= count + 2:
            break
    apart = math.ceil(len(ticks) / (count + 2)) or 1
    return ticks[::apart] if len(ticks) > 1 else []
