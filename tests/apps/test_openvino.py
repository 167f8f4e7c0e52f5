"""The default file on OpenVINO's plug-in, which chooses bf16 on processors with AMX."""

import math
from pathlib import Path

import numpy as np
import pytest
from node_packages import give_up
from PIL import Image

from nst.infer import Stylizer
from nst.infer.engine.devices import available_devices


@pytest.fixture
def plug_in() -> None:
    if "openvino" not in available_devices():
        give_up("OpenVINO's plug-in is not installed")


@pytest.mark.usefixtures("plug_in")
def test_openvino(model: Path, photo: Path) -> None:
    with Image.open(photo) as picture:
        frame = np.asarray(picture)
    expected = Stylizer(model)(frame).astype(float)
    found = Stylizer(model, device="openvino")(frame).astype(float)
    largest, mean_square = np.abs(found - expected).max(), np.square(found - expected).mean()
    psnr_db = 10 * math.log10(255**2 / max(mean_square, 1e-9))
    assert largest <= 2 or psnr_db >= 35


@pytest.mark.usefixtures("plug_in")
def test_openvino_with_a_strength(strong_model: Path, photo: Path) -> None:
    with Image.open(photo) as picture:
        frame = np.asarray(picture)
    for strength in (1.0, 0.5):
        expected = Stylizer(strong_model)(frame, strength=strength).astype(float)
        found = Stylizer(strong_model, device="openvino")(frame, strength=strength)
        assert np.square(found - expected).mean() <= 255**2 / 10**3.5
