"""Durations and numbers for people."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spoken_duration(seconds: float) -> str:
    """Such as ``46 s``, ``12 min 5 s`` and ``3 h 2 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def short_number(value: float) -> str:
    """At most four significant digits; thousands with commas, tiny ones with a power of ten."""
    if value and not 1e-4 <= abs(value) < 1e7:
        digits, exponent = f"{value:.3e}".split("e")
        power = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
        return f"{float(digits):g}×{power}"  # noqa: RUF001 - the sign of multiplication
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def file_size(size_bytes: int) -> str:
    """Such as ``312 bytes``, ``4.1 kB`` and ``2.3 MB``."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    for unit, factor in (("kB", 1e3), ("MB", 1e6)):
        if size_bytes < 1000 * factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e9:.1f} GB"
