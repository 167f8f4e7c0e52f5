"""Models made ready for the page: checked, named, each with a picture of what it does."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from nst.infer.engine.metadata import STRENGTH_INPUT
from nst.infer.errors import UserError
from nst.infer.files import require_file

CREDITS = ("artist", "title", "year", "license")
"""Metadata about the painting. A model need not have it."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """One model of a site.

    Args:
        name: what the page calls it; no two of a site are the same.
        model: the file.
        min_size_px: smallest side of a picture.
        credit: what its metadata say about the painting, by the names in ``CREDITS``.
    """

    name: str
    model: Path
    min_size_px: int
    credit: dict[str, str]


def read_styles(models: Sequence[Path]) -> list[Style]:
    """Open the models and name them.

    Args:
        models: files that nst-export wrote. Those that share a style's name are told apart by the
            names of their files.
    Returns:
        One per model, in the same order.
    Raises:
        UserError: if one cannot be used, or two cannot be told apart.
    """
    styles = [read_style(model) for model in models]
    shared = Counter(style.name for style in styles)
    named = [
        Style(**{**vars(style), "name": style.model.stem}) if shared[style.name] > 1 else style
        for style in styles
    ]
    for name, times in Counter(style.name for style in named).items():
        if times > 1:
            raise UserError(f"{times} models are named {name}: give their files different names")
    return named


def read_style(model: Path) -> Style:
    """Open one model.

    Raises:
        UserError: if it is missing, no ONNX model, not from nst, or takes floats.
    """
    from nst.infer.engine.graph import ImageGraph
    from nst.infer.stylizer import read_metadata

    require_file(model)
    graph = ImageGraph(model)
    metadata = read_metadata(graph)
    if metadata is None:
        raise UserError(f"cannot use {model}: it is not from nst, export one with nst-export")
    if metadata.layout != "NHWC":
        raise UserError(f"cannot use {model}: it takes floats, export it without --io float")
    if metadata.size != "any":
        raise UserError(f"cannot use {model}: it takes one size, export it without --size")
    if graph.needs_statistics:
        raise UserError(
            f"cannot use {model}: its statistics have to be fed, export it without --statistics"
        )
    texts = {key: getattr(metadata, key) for key in CREDITS}
    return Style(
        name=metadata.style,
        model=model,
        min_size_px=metadata.min_size_px,
        credit={key: text for key, text in texts.items() if text},
    )


def write_styles(styles: Sequence[Style], folder: Path) -> list[dict[str, Any]]:
    """Write the models and what each makes of the landscape.

    Args:
        styles: from ``read_styles``.
        folder: an existing, empty folder in the site.
    Returns:
        What the page has to know of each, ready for JSON.
    Raises:
        UserError: if a model cannot be run.
        OSError: if a file cannot be read or written.
    """
    from PIL import Image

    from nst.export.web.scene import landscape
    from nst.infer.pictures.images import write_image
    from nst.infer.stylizer import Stylizer

    scene = landscape()
    entries = []
    for style, stem in zip(styles, file_stems(styles), strict=True):
        content = page_model(style.model)
        (folder / f"{stem}.onnx").write_bytes(content)
        painted = Stylizer(style.model)(scene)
        write_image(Image.fromarray(painted), folder / f"{stem}.jpg")
        entries.append(
            {
                "name": style.name,
                "file": f"{folder.name}/{stem}.onnx",
                "picture": f"{folder.name}/{stem}.jpg",
                "size_bytes": len(content),
                "min_size_px": style.min_size_px,
                **style.credit,
            }
        )
    return entries


def file_stems(styles: Sequence[Style]) -> list[str]:
    """A name for the files of each style, safe in every address and file system."""
    stems: list[str] = []
    for style in styles:
        plain = re.sub(r"[^a-z0-9]+", "-", style.name.lower()).strip("-")[:60] or "style"
        numbered = chain([plain], (f"{plain}-{number}" for number in count(2)))
        stems.append(next(stem for stem in numbered if stem not in stems))
    return stems


def page_model(model: Path) -> bytes:
    """The model as the page needs it.

    onnxruntime-web refuses to be fed an input that has a default value. So the default of the
    strength is taken out, and the page always feeds it.
    """
    import onnx

    content = model.read_bytes()
    graph = onnx.ModelProto.FromString(content)
    inputs = {port.name for port in graph.graph.input}
    defaults = graph.graph.initializer
    at = next((i for i, each in enumerate(defaults) if each.name == STRENGTH_INPUT), None)
    if STRENGTH_INPUT not in inputs or at is None:
        return content
    del defaults[at]
    changed: bytes = graph.SerializeToString()
    return changed
