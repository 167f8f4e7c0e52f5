from pathlib import Path

import pytest
from PIL import Image

from nst.train.report.stages import cut, fits, read_stages, spread_steps


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([9], [9]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6]),
        (list(range(250, 3001, 250)), [250, 500, 1000, 1750, 3000]),
    ],
)
def test_stages_are_spread(steps: list[int], expected: list[int]) -> None:
    assert spread_steps(steps, 5) == expected


def test_a_strip_is_cut_into_its_photos() -> None:
    strip = Image.new("RGB", (50, 60), "white")
    strip.paste((255, 0, 0), (0, 0, 30, 20))
    strip.paste((0, 0, 255), (30, 0, 50, 30))
    sizes = [(30, 20), (20, 30)]
    assert fits(strip, sizes)
    red, blue = cut(strip, sizes)
    assert (red.size, blue.size) == ((30, 20), (20, 30))
    assert red.getcolors() == [(600, (255, 0, 0))]
    assert blue.getcolors() == [(600, (0, 0, 255))]


@pytest.mark.parametrize("sizes", [[], [(50, 20)], [(30, 30), (21, 20)], [(50, 60)]])
def test_strips_of_other_photos(sizes: list[tuple[int, int]]) -> None:
    assert not fits(Image.new("RGB", (50, 60)), sizes)


def test_what_is_later_than_the_run_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "preview").mkdir()
    for step in (10, 20, 30):
        Image.new("RGB", (8, 8), (step, 0, 0)).save(tmp_path / f"preview/step_{step:06d}.png")
    (tmp_path / "preview" / "step_x.png").write_text("")
    stages = read_stages(tmp_path, [(8, 4)], last_step=20)
    assert [stage.step for stage in stages] == [10, 20]
    assert stages[1].pictures[0].getpixel((0, 0)) == (20, 0, 0)
