from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from synthetic import natural_frames

from nst.export import ExportReport
from nst.models import TrainedNet


def natural_picture(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(natural_frames((1, height, width), seed=seed)[0])


def save_painting(folder: Path) -> Path:
    path = folder / "waves.png"
    rows, columns = np.mgrid[0:96, 0:128]
    stripes = 127 + 127 * np.sin(columns / 3 + 4 * np.sin(rows / 9))
    colours = np.stack([stripes, 255 - stripes, 0.5 * stripes + 60], axis=-1)
    Image.fromarray(colours.astype(np.uint8)).save(path)
    return path


def save_photos(parent: Path) -> Path:
    folder = parent / "photos"
    (folder / "more").mkdir(parents=True)
    natural_picture(96, 64, seed=1).save(folder / "a.jpg")
    natural_picture(64, 96, seed=2).save(folder / "b.png")
    natural_picture(80, 80, seed=3).save(folder / "more" / "c.webp")
    return folder


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    return save_painting(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return save_photos(tmp_path)


def tiny_run(painting: Path, photos: Path, out: Path) -> list[str]:
    """Arguments of a short run with a tiny network."""
    return [
        *("--style", str(painting), "--content", str(photos), "--out", str(out)),
        *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
        *("--data.crop_px", "48", "--data.batch_size", "2", "--data.workers", "0"),
        *("--trainer.max_steps", "3", "--model.style_size", "96"),
    ]


Train = Callable[..., int]


def skip_export(trained: TrainedNet, path: Path) -> ExportReport:
    """Stands in for the export, which takes longer than all the rest of a short run."""
    return ExportReport(path, 0, opset=18, difference_levels=0, reorders=0, lower=None)


@pytest.fixture
def train(painting: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """``nst-train`` on three small pictures with a tiny network; more flags may follow."""

    def run(*flags: str, out: str = "run", export: bool = False, report: bool = False) -> int:
        from nst.train.cli import main

        if not export:
            monkeypatch.setattr("nst.train.commands.one_run.export_onnx", skip_export)
        arguments = tiny_run(painting, photos, tmp_path / out)
        return main([*arguments, "--run.report", str(report).lower(), *flags])

    return run


@pytest.fixture
def vgg16_file(tmp_path: Path) -> Path:
    """VGG-16 up to conv2_1 with random weights."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for index, (channels_in, channels) in {0: (3, 64), 2: (64, 64), 5: (64, 128)}.items():
        weight = torch.randn(channels, channels_in, 3, 3, generator=generator)
        state[f"features.{index}.weight"] = weight / (3 * channels_in**0.5)
        state[f"features.{index}.bias"] = torch.zeros(channels)
    path = tmp_path / "vgg16.safetensors"
    save_file(state, path)
    return path
