from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nst.infer.errors import UserError
from nst.models import VGGFeatures
from nst.train.optimize.units import (
    PATCHES,
    ReceptiveField,
    Strongest,
    Survey,
    choose_units,
    cut_patch,
    draw_units,
    receptive_field,
    strongest_in,
    survey_photos,
)


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return VGGFeatures(("relu2_1",))


def photo_with_edge(folder: Path, number: int, *, left: int, top: int) -> Path:
    """Grey noise with one bright square: its corner is what excites units most."""
    pixels = np.random.default_rng(number).integers(90, 110, (64, 96, 3), np.uint8)
    pixels[top : top + 16, left : left + 16] = 255
    path = folder / f"{number}.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ("relu1_1", ReceptiveField(1, 3)),
        ("relu1_2", ReceptiveField(1, 5)),
        ("relu2_1", ReceptiveField(2, 10)),
        ("relu3_1", ReceptiveField(4, 24)),
        ("relu4_1", ReceptiveField(8, 68)),
    ],
)
def test_receptive_fields(layer: str, field: ReceptiveField) -> None:
    assert receptive_field(layer, "vgg19") == field


def test_a_receptive_field_is_what_moves_a_cell(vgg: VGGFeatures) -> None:
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)).requires_grad_()
    vgg(image)["relu2_1"][0, :, 10, 10].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    field = receptive_field("relu2_1", "vgg19")
    assert int(rows[-1] - rows[0]) + 1 <= field.side_px
    assert float(rows.float().mean()) + 0.5 == pytest.approx(10.5 * field.stride_px, abs=1.5)


def test_each_photo_counts_once_at_its_strongest_place() -> None:
    response = torch.zeros(2, 3, 4)
    response[0, 1, 2], response[0, 2, 3] = 5, 4
    response[1, 0, 0] = 1
    found = strongest_in(response, 7)
    assert [field[0].tolist() for field in found] == [[5, 1], [7, 7], [1, 0], [2, 0]]


def test_the_nine_strongest_photos_of_many(tmp_path: Path, vgg: VGGFeatures) -> None:
    paths = [photo_with_edge(tmp_path, n, left=4 * n, top=2 * n) for n in range(12)]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    reasons: list[str] = []
    survey = survey_photos(
        [*paths, broken],
        vgg=vgg,
        layer="relu2_1",
        short_side_px=64,
        on_unusable=reasons.append,
    )
    values, photos = survey.strongest.values, survey.strongest.photos
    assert values.shape == photos.shape == (PATCHES, 128)
    assert torch.equal(values, values.sort(0, descending=True).values)
    assert all(len(set(column)) == PATCHES for column in photos.T.tolist())
    assert [str(broken) in reason for reason in reasons] == [True]
    unit = int(values[0].argmax())
    everything = torch.stack(
        [
            survey_photos([path], vgg=vgg, layer="relu2_1", short_side_px=64).strongest.values[0]
            for path in paths
        ]
    )
    torch.testing.assert_close(values[:, unit], everything[:, unit].topk(PATCHES).values)
    torch.testing.assert_close(survey.typical, everything.mean(0))


def test_no_photo_can_be_read(tmp_path: Path, vgg: VGGFeatures) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (90, 1)).save(tmp_path / "narrow.png")
    with pytest.raises(UserError, match="none of the photos"):
        survey_photos(sorted(tmp_path.iterdir()), vgg=vgg, layer="relu2_1", short_side_px=64)


def test_units_that_tell_photos_apart_are_chosen() -> None:
    values = torch.tensor([[9.0, 3.0, 8.0, 0.0]])
    place = torch.zeros(1, 4, dtype=torch.long)
    survey = Survey(
        Strongest(values, place, place, place), typical=torch.tensor([1.0, 2.9, 4.0, 0.0])
    )
    assert choose_units(survey, 2) == [0, 2]


def test_patches_are_cut_where_the_cell_looks_and_inside_the_photo() -> None:
    photo = torch.arange(20.0 * 20).view(1, 1, 20, 20).expand(1, 3, 20, 20) / 400
    field = ReceptiveField(2, 6)
    inside = cut_patch(photo, 4, 5, field)
    assert inside.size == (6, 6)
    assert inside.getpixel((0, 0))[0] == round((6 * 20 + 8) / 400 * 255)  # type: ignore[index]
    assert cut_patch(photo, 0, 0, field).getpixel((0, 0)) == (0, 0, 0)
    assert cut_patch(photo, 9, 9, field).getpixel((5, 5))[0] == round(399 / 400 * 255)  # type: ignore[index]
    assert cut_patch(photo, 0, 0, ReceptiveField(2, 50)).size == (20, 20)


def test_the_sheet_shows_the_bright_corner(tmp_path: Path, vgg: VGGFeatures) -> None:
    paths = [photo_with_edge(tmp_path, n, left=8 * n, top=3 * n) for n in range(3)]
    survey = survey_photos(paths, vgg=vgg, layer="relu2_1", short_side_px=64)
    unit = int(survey.strongest.values[0].argmax())
    field = receptive_field("relu2_1", "vgg19")
    sheet = draw_units(survey.strongest, [unit], paths, field=field, short_side_px=64)
    patches = np.asarray(sheet)[:96]
    assert patches.shape[1] >= 3 * 96
    for left in (0, 98, 196):
        assert patches[:, left : left + 96].max() > 240
        assert patches[:, left : left + 96].min() < 115
