"""What each block of a VGG keeps: a photo rebuilt from it, and a texture made from it."""

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.models import LossForm, VGGFeatures
from nst.train.optimize.coarse_to_fine import CoarseToFine, Moment, Pictures, Scale
from nst.train.optimize.descent import OptimizerName
from nst.train.optimize.objective import ObjectiveSettings
from nst.train.painting import at_size, to_picture

BLOCKS = range(1, 6)
CONTENT_LAYERS = [f"relu{block}_2" for block in BLOCKS]
STYLE_LAYERS = [f"relu{block}_1" for block in BLOCKS]


class Plate(NamedTuple):
    """One picture of the atlas: what it is, and the objective that makes it."""

    caption: str
    settings: ObjectiveSettings


def plates(form: LossForm) -> tuple[list[Plate], list[Plate]]:
    """The photo from one layer of each block, and textures from ever more layers."""
    photos = [
        Plate(layer, ObjectiveSettings(form=form, content_layers=[layer], style_weight=0.0))
        for layer in CONTENT_LAYERS
    ]
    textures = [
        Plate(
            STYLE_LAYERS[0] if count == 1 else f"up to {STYLE_LAYERS[count - 1]}",
            ObjectiveSettings(form=form, style_layers=STYLE_LAYERS[:count], content_weight=0.0),
        )
        for count in range(1, len(STYLE_LAYERS) + 1)
    ]
    return photos, textures


def render_atlas(
    content: Image.Image,
    painting: Image.Image,
    *,
    vgg: VGGFeatures,
    form: LossForm,
    optimizer: OptimizerName,
    long_side_px: int,
    steps: int,
    seed: int,
    on_moment: Callable[[Moment], None],
) -> Image.Image:
    """Rebuild a photo and a painting's texture from each of the five blocks, from noise.

    Args:
        content: the photo, RGB.
        painting: RGB.
        vgg: must give ``CONTENT_LAYERS`` and ``STYLE_LAYERS``.
        form: of the losses.
        optimizer: ``lbfgs`` or ``adam``.
        long_side_px: longer side of each of the ten pictures.
        steps: for each of them.
        seed: of the noise.
        on_moment: called after each evaluation; its steps count over all ten.
    Returns:
        Two rows, the originals at their left.
    Source:
        Gatys et al. 2015, figure 1.
    """
    rows = []
    done = 0
    for original, row in zip((content, painting), plates(form), strict=True):
        shown = to_picture(at_size(original, long_side_px)[0])
        cells = [Cell(shown, "the photo" if original is content else "the painting")]
        for plate in row:
            run = CoarseToFine(
                Pictures(content=shown, paintings=[(painting, 1.0)], start=None),
                plate.settings,
                vgg=vgg,
                scales=[Scale(long_side_px, steps)],
                optimizer=optimizer,
                seed=seed,
                on_moment=shift_steps(on_moment, done),
            )
            cells.append(Cell(to_picture(run.run()[0]), plate.caption))
            done += steps
        rows.append(cells)
    return contact_sheet(rows, height_px=min(cell.picture.height for row in rows for cell in row))


def shift_steps(on_moment: Callable[[Moment], None], done: int) -> Callable[[Moment], None]:
    """Count steps from ``done`` on."""
    return lambda moment: on_moment(moment._replace(step=done + moment.step))
