"""Three networks for real time, by name. The settings of ``nst-train`` have the same names."""

from collections.abc import Mapping
from typing import Any

TIERS: Mapping[str, Mapping[str, Any]] = {
    "realtime": {"name": "CompactNet", "width": 32, "half_width": 16, "residual_blocks": 5},
    "balanced": {"name": "CompactNet", "width": 48, "half_width": 16, "residual_blocks": 7},
    "quality": {"name": "CompactNet", "width": 64, "half_width": 32, "residual_blocks": 8},
}
"""Name of a tier to its ``architecture``."""


def tier_of(architecture: Mapping[str, Any]) -> str:
    """The name of the tier that a network is, "" for another."""
    return next((tier for tier, each in TIERS.items() if each == dict(architecture)), "")
