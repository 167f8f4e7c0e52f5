"""Which image patches excite the units of a VGG layer most.

Source: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", figure 2,
without the deconvolution.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from nst.infer.errors import UserError
from nst.infer.pictures.contact_sheet import GAP_PX, Cell, contact_sheet
from nst.infer.pictures.images import on_white, read_image
from nst.models import VGGFeatures
from nst.models.vgg_weights import CONVS_PER_BLOCK, VGGArch
from nst.train.painting import at_size, to_picture
from nst.train.vgg_loading import FEATURES, refuse_large_pictures

UNITS = 9
PATCHES = 9
PER_ROW = 3
PATCH_HEIGHT_PX = 96
PATCH_GAP_PX = 2


class ReceptiveField(NamedTuple):
    """What one cell of a layer sees: pixels between two cells, and pixels across the field."""

    stride_px: int
    side_px: int


class Strongest(NamedTuple):
    """The photos that excite each unit most, each photo at the place where it does.

    Attributes:
        values: (patches, C), activations, strongest first.
        photos: (patches, C), numbers of the photos. There are fewer rows than nine where there are
            fewer photos.
        rows, columns: (patches, C), cells of the layer.
    """

    values: Tensor
    photos: Tensor
    rows: Tensor
    columns: Tensor


class Survey(NamedTuple):
    """The strongest responses to a folder of photos, and the usual one of each unit, (C,)."""

    strongest: Strongest
    typical: Tensor


def receptive_field(layer: str, arch: VGGArch) -> ReceptiveField:
    """Of a layer such as ``relu3_1``."""
    block, number = (int(part) for part in layer[4:].split("_"))
    stride, side = 1, 1
    for index, convs in enumerate((*CONVS_PER_BLOCK[arch][: block - 1], number)):
        if index:
            side += stride
            stride *= 2
        side += 2 * stride * convs
    return ReceptiveField(stride, side)


def survey_photos(
    paths: Sequence[Path],
    *,
    vgg: VGGFeatures,
    layer: str,
    short_side_px: int,
    on_photo: Callable[[int], None] = lambda _: None,
    on_unusable: Callable[[str], None] = lambda _: None,
) -> Survey:
    """Look at every photo once and keep the strongest response of each unit to each.

    Args:
        paths: photos; one that cannot be read or is too small is reported and left out.
        vgg: must give ``layer``.
        layer: the layer to look into.
        short_side_px: photos are shrunk to this.
        on_photo: called after each photo with how many have been looked at.
        on_unusable: called with one line for each that is left out.
    Raises:
        UserError: if none can be read.
    """
    best: Strongest | None = None
    total, readable = torch.zeros(()), 0
    for number, path in enumerate(paths):
        try:
            photo = read_photo(path, short_side_px=short_side_px)
            if min(photo.shape[-2:]) < vgg.min_side_px([layer]):
                raise UserError(f"{path} is too small for {layer}")
            refuse_large_pictures(vgg, (photo.shape[-1], photo.shape[-2]), FEATURES)
        except UserError as error:
            on_unusable(str(error))
        else:
            with torch.no_grad():
                response = vgg(photo.to(vgg.device), layers=[layer])[layer][0]
            response = response.float().cpu()  # (C, H, W)
            one = strongest_in(response, number)
            best = one if best is None else merge(best, one)
            total, readable = total + one.values[0], readable + 1
        on_photo(number + 1)
    if best is None:
        raise UserError("none of the photos can be used")
    return Survey(best, total / readable)


def strongest_in(response: Tensor, photo: int) -> Strongest:
    """Where in one photo, (C, H, W), each unit responds most."""
    values, places = response.flatten(1).max(1)
    width = response.shape[2]
    return Strongest(
        values[None],
        torch.full_like(places, photo)[None],
        (places // width)[None],
        (places % width)[None],
    )


def merge(best: Strongest, more: Strongest) -> Strongest:
    """The strongest of both, at most ``PATCHES`` of each unit."""
    joined = Strongest(*(torch.cat(pair) for pair in zip(best, more, strict=True)))
    order = joined.values.argsort(dim=0, descending=True, stable=True)[:PATCHES]
    return Strongest(*(field.gather(0, order) for field in joined))


def choose_units(survey: Survey, count: int = UNITS) -> list[int]:
    """The units that tell photos apart best: strongest responses far above their usual one."""
    selectivity = survey.strongest.values.mean(0) / survey.typical.clamp_min(1e-6)
    return sorted(selectivity.topk(min(count, len(selectivity))).indices.tolist())


def read_photo(path: Path, *, short_side_px: int) -> Tensor:
    """A photo as (1, 3, H, W), shrunk to a short side."""
    picture = on_white(read_image(path, draft_px=short_side_px))
    factor = max(picture.size) / min(picture.size)
    return at_size(picture, round(short_side_px * factor))


def draw_units(
    strongest: Strongest,
    units: Sequence[int],
    paths: Sequence[Path],
    *,
    field: ReceptiveField,
    short_side_px: int,
) -> Image.Image:
    """A block of patches for each unit, with its number and its strongest response."""
    cells = []
    for unit in units:
        patches = [
            cut_patch(
                read_photo(paths[photo], short_side_px=short_side_px),
                int(strongest.rows[rank, unit]),
                int(strongest.columns[rank, unit]),
                field,
            )
            for rank, photo in enumerate(strongest.photos[:, unit].tolist())
        ]
        block = contact_sheet(
            in_rows([Cell(patch) for patch in patches]),
            height_px=PATCH_HEIGHT_PX,
            gap_px=PATCH_GAP_PX,
        )
        caption = f"unit {unit}, up to {float(strongest.values[0, unit]):.0f}"
        cells.append(Cell(block, caption))
    height_px = max(cell.picture.height for cell in cells)
    return contact_sheet(in_rows(cells), height_px=height_px, gap_px=4 * GAP_PX)


def in_rows(cells: Sequence[Cell]) -> list[Sequence[Cell]]:
    """Three cells in a row."""
    return [cells[start : start + PER_ROW] for start in range(0, len(cells), PER_ROW)]


def cut_patch(photo: Tensor, row: int, column: int, field: ReceptiveField) -> Image.Image:
    """The square of a photo, (1, 3, H, W), that a cell sees, moved inside the photo."""
    height, width = photo.shape[-2:]
    side = min(field.side_px, height, width)
    top, left = (
        min(max(0, round((cell + 0.5) * field.stride_px - side / 2)), length - side)
        for cell, length in ((row, height), (column, width))
    )
    return to_picture(photo[0, :, top : top + side, left : left + side])
