"""The results as a table on the terminal and as JSON."""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nst.models.perceptual_loss import DEFAULT_STYLE_WEIGHT
from nst.train.evaluate.evaluation import Result

DEVIATION_DIGITS = 2


class Measure(NamedTuple):
    """A row of the tables: the key in ``Result``, what a person calls it, which end is better."""

    key: str
    label: str
    better: Literal["low", "high", ""]


GROUPS: dict[str, tuple[Measure, ...]] = {
    "losses": (
        Measure("total", f"total = content + {DEFAULT_STYLE_WEIGHT:g} style", "low"),
        Measure("content", "content", "low"),
        Measure("style", "style", "low"),
    ),
    "the same, judged by the other VGG": (
        Measure("other/total", "total", "low"),
        Measure("other/content", "content", "low"),
        Measure("other/style", "style", "low"),
    ),
    "picture": (
        Measure("ssim", "SSIM with the photo", "high"),
        Measure("grid", "grid energy, 1 is none", "low"),
        Measure("e_warp", "e_warp, mean of all flows", "low"),
        Measure("flicker", "flicker under noise", "low"),
    ),
    "worth in optimisation": (
        Measure("gatys", "L-BFGS evaluations", "high"),
        Measure("gatys/reached", "photos whose curve gets as far, share", ""),
        Measure("gatys/ratio", "loss / loss after 100", "low"),
    ),
    "cost": (
        Measure("megabytes", "file, MB", "low"),
        Measure("parameters", "parameters", "low"),
        Measure("macs_per_pixel", "multiply-accumulates / pixel", "low"),
    ),
}
DETAILS = {
    "losses": ("content/", "style/"),
    "the same, judged by the other VGG": ("other/content/", "other/style/"),
    "picture": ("grid/", "e_warp/"),
    "cost": ("ms/",),
}
DETAIL_LABELS = {
    "content/": "content, {}",
    "style/": "style, {}",
    "other/content/": "content, {}",
    "other/style/": "style, {}",
    "grid/": "grid energy, period {} px",
    "e_warp/": "e_warp, flow {} px",
    "ms/": "ms for 1280x720, {}",
}


SHARES = frozenset({"gatys/reached"})
"""Measures that are yes or no for a photo: their spread says nothing."""


class Row(NamedTuple):
    """One measure of all subjects: means, and spreads, None where there is one value."""

    measure: Measure
    means: list[float | None]
    deviations: list[float | None]

    @property
    def best(self) -> float | None:
        """The best mean, None where neither end is better or all are the same."""
        known = [mean for mean in self.means if mean is not None]
        if not self.measure.better or len(set(known)) < 2:
            return None
        return min(known) if self.measure.better == "low" else max(known)

    def cells(self) -> list[str]:
        """For people."""
        return [
            ""
            if mean is None
            else number(mean) + ("" if dev is None else f" ± {number(dev, DEVIATION_DIGITS)}")
            for mean, dev in zip(self.means, self.deviations, strict=True)
        ]


def rows_by_group(results: Sequence[Result]) -> dict[str, list[Row]]:
    """Everything that was measured of at least one subject."""
    groups = {}
    for name, measures in GROUPS.items():
        rows = [row_of(measure, results) for measure in (*measures, *details(name, results))]
        rows = [row for row in rows if any(mean is not None for mean in row.means)]
        if rows:
            groups[name] = rows
    return groups


def details(group: str, results: Sequence[Result]) -> list[Measure]:
    """The measures per layer, period, flow or device that some result has."""
    found: dict[str, Measure] = {}
    for prefix in DETAILS.get(group, ()):
        for result in results:
            for key in (*result.values, *result.cost):
                rest = key.removeprefix(prefix)
                if key.startswith(prefix) and "/" not in rest:
                    found.setdefault(key, Measure(key, DETAIL_LABELS[prefix].format(rest), "low"))
    return list(found.values())


def row_of(measure: Measure, results: Sequence[Result]) -> Row:
    """One measure of all subjects."""
    means: list[float | None] = []
    deviations: list[float | None] = []
    for result in results:
        spread = result.spread(measure.key)
        means.append(spread.mean if spread else result.cost.get(measure.key))
        deviations.append(spread.deviation if spread and measure.key not in SHARES else None)
    return Row(measure, means, deviations)


def number(value: float, digits: int = 3) -> str:
    """Some significant digits, thousands in full."""
    rounded = float(f"{value:.{digits}g}")
    return f"{value:,.0f}" if abs(rounded) >= 10**digits else f"{rounded:g}"


def tables(results: Sequence[Result]) -> str:
    """One table per group, a column per subject, the best of each row in bold on a terminal."""
    console = Console()
    with console.capture() as capture:
        draw_tables(results, console)
    return capture.get()


def draw_tables(results: Sequence[Result], console: Console) -> None:
    """The same on a console."""
    for name, rows in rows_by_group(results).items():
        table = Table(title=name, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
        table.add_column("")
        for result in results:
            table.add_column(escape(result.name), justify="right", overflow="fold")
        for row in rows:
            cells = [
                f"[bold]{cell}[/bold]" if mean is not None and mean == row.best else cell
                for cell, mean in zip(row.cells(), row.means, strict=True)
            ]
            table.add_row(row.measure.label, *cells)
        console.print(table)


def as_json(results: Sequence[Result], settings: dict[str, Any], photos: Sequence[str]) -> str:
    """Settings, names of the photos, and per subject every value of every photo, and the cost."""
    models = {
        result.name: {
            "measures": {key: measure_json(result, key) for key in result.values},
            "cost": result.cost,
        }
        for result in results
    }
    return json.dumps({"settings": settings, "photos": list(photos), "models": models}, indent=1)


def measure_json(result: Result, key: str) -> dict[str, Any]:
    """Mean, deviation (None for one photo), and the value of each photo, None where it has none."""
    mean, deviation = result.spread(key) or (None, None)
    return {"mean": mean, "deviation": deviation, "photos": result.values[key]}
