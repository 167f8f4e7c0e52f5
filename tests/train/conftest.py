from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.export.parity import natural_frames


def natural_picture(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(natural_frames((1, height, width), seed=seed)[0])


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    path = tmp_path / "waves.png"
    rows, columns = np.mgrid[0:96, 0:128]
    stripes = 127 + 127 * np.sin(columns / 3 + 4 * np.sin(rows / 9))
    colours = np.stack([stripes, 255 - stripes, 0.5 * stripes + 60], axis=-1)
    Image.fromarray(colours.astype(np.uint8)).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    natural_picture(96, 64, seed=1).save(folder / "a.jpg")
    natural_picture(64, 96, seed=2).save(folder / "b.png")
    natural_picture(80, 80, seed=3).save(folder / "more" / "c.webp")
    return folder


Train = Callable[..., int]


@pytest.fixture
def train(painting: Path, photos: Path, tmp_path: Path) -> Train:
    """``nst-train`` on three small pictures with a tiny network; more flags may follow."""

    def run(*flags: str, out: str = "run") -> int:
        from nst.train.cli import main

        return main(
            [
                *("--style", str(painting), "--content", str(photos), "--out", str(tmp_path / out)),
                *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
                *("--data.crop_px", "48", "--data.batch_size", "2", "--data.workers", "0"),
                *("--trainer.max_steps", "3", "--model.style_size", "96"),
                *flags,
            ]
        )

    return run
