"""Durations, numbers and devices for people."""

import torch

from nst.infer.messages import counted

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spoken_duration(seconds: float) -> str:
    """Such as ``46 s``, ``12 min 5 s`` and ``3 h 2 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rough_duration(seconds: float) -> str:
    """An estimate, such as ``46 s``, ``12 min`` and ``3 h 02 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def clock_duration(seconds: float) -> str:
    """Such as ``4:07`` for minutes and seconds, and ``2 h 05 min`` from an hour up."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def short_number(value: float) -> str:
    """At most four significant digits; thousands with commas, tiny ones with a power of ten."""
    if value and not 1e-4 <= abs(value) < 1e7:
        digits, exponent = f"{value:.3e}".split("e")
        power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
        return f"{float(digits):g}×{power}"  # noqa: RUF001 - the sign of multiplication
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def data_size(size_bytes: int) -> str:
    """Such as ``312 bytes``, ``4.1 kB`` and ``2.3 MB``."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    for unit, factor in (("kB", 1e3), ("MB", 1e6)):
        if size_bytes < 1000 * factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e9:.1f} GB"


def device_name(device: torch.device, *, count: int = 1) -> str:
    """Such as ``CPU, 2 threads`` and ``8 x NVIDIA H200``.

    Args:
        device: one of them.
        count: processes that train together, each on one.
    """
    if device.type == "cuda":
        name = str(torch.cuda.get_device_name(device))
    else:
        name = f"{device.type.upper()}, {counted(torch.get_num_threads(), 'thread')}"
    return name if count == 1 else f"{count} x {name}"
