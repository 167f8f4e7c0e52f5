"""The results as one self-contained HTML page."""

import base64
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.infer.files import atomic_write
from nst.train.evaluate.evaluation import Result
from nst.train.evaluate.report import DEVIATION_DIGITS, Row, number, rows_by_group

TEMPLATE = "page.html.j2"
PICTURE_PX = 640
JPEG_QUALITY = 82


def write_page(
    path: Path,
    results: Sequence[Result],
    *,
    title: str,
    summary: str,
    painting: Image.Image,
    photos: Sequence[str],
    shown: Sequence[NDArray[np.uint8]],
) -> None:
    """Write the page; it loads nothing from elsewhere.

    Args:
        path: the file, replaced if it exists.
        results: of all subjects, with a picture for each photo shown.
        title: of the page.
        summary: one line about how it was measured.
        painting: RGB.
        photos: names of all photos.
        shown: those of the contact sheet, (H, W, 3).
    Raises:
        UserError: if the file cannot be written.
    """
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    )
    html = template.render(
        title=title,
        summary=summary,
        painting=data_uri(painting),
        photos=photos,
        names=[result.name for result in results],
        groups={
            group: [{"label": row.measure.label, "cells": page_cells(row)} for row in rows]
            for group, rows in rows_by_group(results).items()
        },
        sheet=contact_sheet_cells(results, photos, shown),
    )
    with atomic_write(path) as temporary:
        # Names of files need not be text.
        temporary.write_bytes(html.encode("utf-8", "backslashreplace"))


def page_cells(row: Row) -> list[dict[str, Any]]:
    """The cells of a row as the template takes them."""
    return [
        {
            "mean": "" if mean is None else number(mean),
            "deviation": "" if deviation is None else number(deviation, DEVIATION_DIGITS),
            "best": mean is not None and mean == row.best,
        }
        for mean, deviation in zip(row.means, row.deviations, strict=True)
    ]


def contact_sheet_cells(
    results: Sequence[Result], photos: Sequence[str], shown: Sequence[NDArray[np.uint8]]
) -> list[list[dict[str, str]]]:
    """A row per photo: the photo, and what each subject makes of it."""
    return [
        [
            {"alt": name, "src": data_uri(Image.fromarray(photo))},
            *(
                {
                    "alt": f"{name} by {result.name}",
                    "src": data_uri(Image.fromarray(result.pictures[index])),
                }
                for result in results
            ),
        ]
        for index, (name, photo) in enumerate(zip(photos, shown, strict=False))
    ]


def data_uri(picture: Image.Image) -> str:
    """A picture as a JPEG inside the page, at most 640 px wide or high."""
    small = picture.convert("RGB")
    small.thumbnail((PICTURE_PX, PICTURE_PX), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
