"""OpenCV's DNN module takes the file for one size."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image

from nst.export import GraphForm, export_onnx
from nst.models import TrainedNet


def test_opencv(trained: TrainedNet, photo: Path, tmp_path: Path) -> None:
    with Image.open(photo) as picture:
        rgb = np.asarray(picture)
    model = tmp_path / "fixed.onnx"
    export_onnx(trained, model, GraphForm(io="float", size=rgb.shape[:2]))
    blob = cv2.dnn.blobFromImage(rgb[:, :, ::-1].copy(), 1 / 255, swapRB=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"image": blob})
    net = cv2.dnn.readNetFromONNX(str(model))
    net.setInput(blob)
    assert 255 * np.abs(net.forward() - expected).max() <= 2
    assert expected.std() > 0.01
    assert blob[0, :, 0, 0] == pytest.approx(rgb[0, 0] / 255)
