import pytest
import torch
from PIL import Image

from nst.models import VGGFeatures
from nst.train.optimize.atlas import CONTENT_LAYERS, STYLE_LAYERS, plates, render_atlas
from nst.train.optimize.coarse_to_fine import Moment
from nst.train.painting import to_picture


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return VGGFeatures([*CONTENT_LAYERS, *STYLE_LAYERS], padding="reflect")


def test_photos_from_one_layer_textures_from_ever_more() -> None:
    photos, textures = plates("relative")
    assert [plate.settings.layers for plate in photos] == [[layer] for layer in CONTENT_LAYERS]
    assert [plate.settings.layers for plate in textures] == [
        STYLE_LAYERS[:count] for count in range(1, 6)
    ]


def test_an_atlas_has_the_originals_and_five_blocks_of_both(vgg: VGGFeatures) -> None:
    small = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    photo = to_picture(small).resize((48, 48), Image.Resampling.BICUBIC)
    painting = photo.transpose(Image.Transpose.ROTATE_90)
    moments: list[Moment] = []
    atlas = render_atlas(
        photo,
        painting,
        vgg=vgg,
        form="relative",
        optimizer="lbfgs",
        long_side_px=48,
        steps=12,
        seed=0,
        on_moment=moments.append,
    )
    assert [moment.step for moment in moments] == list(range(1, 121))
    assert atlas.width == 6 * 48 + 5 * 8
    assert atlas.crop((0, 0, 48, 48)).tobytes() == photo.tobytes()
    rebuilt = torch.frombuffer(bytearray(atlas.crop((56, 0, 104, 48)).tobytes()), dtype=torch.uint8)
    original = torch.frombuffer(bytearray(photo.tobytes()), dtype=torch.uint8)
    assert (rebuilt.float() - original.float()).abs().mean() < 35
