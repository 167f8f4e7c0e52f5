"""Claims that need real pictures and weights, which the repository does not hold.

They are looked for in ``shared/data`` beside the repository.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from nst.infer import Stylizer
from nst.models import VGGFeatures, load_trained_net

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real pictures and weights at {DATA.parent.name}/{DATA.name}"
)


def photo(*, multiple_of: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A test photo, cropped to a size that the published nets take."""
    pixels = np.asarray(Image.open(DATA / "content" / "test" / "coco_01.jpg").convert("RGB"))
    height, width = (side // multiple_of * multiple_of for side in pixels.shape[:2])
    return pixels[:height, :width]


@pytest.mark.parametrize("name", ["udnie", "mosaic"])
def test_published_nets_give_their_pictures(name: str, tmp_path: Path) -> None:
    source = DATA / "peers" / f"pytorch_examples_{name}.onnx"
    weights = {
        tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in onnx.load(source).graph.initializer
    }
    state = {}
    for key, value in weights.items():
        path = key.split("__")
        if len(path) < 2:
            continue
        is_conv = "conv" in path[-2]
        state[".".join([*path[:-1], *(["conv2d"] if is_conv else []), path[-1]])] = value
    torch.save(state, tmp_path / f"{name}.pth")
    frame = photo(multiple_of=4)
    planes = frame.transpose(2, 0, 1)[None].astype(np.float32)
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": planes})[0][0]
    with torch.no_grad():
        net = load_trained_net(tmp_path / f"{name}.pth").net
        found = net(torch.from_numpy(planes) / 255)[0].numpy() * 255
    assert np.abs(found - expected).max() < 0.05


@pytest.mark.parametrize("model", sorted((DATA / "peers").glob("*.onnx")), ids=lambda m: m.stem)
def test_nets_of_other_projects_run(model: Path) -> None:
    stylizer = Stylizer(model)
    assert stylizer.value_range == (0.0, 255.0)
    frame = photo()[:101, :203]
    stylized = stylizer(frame)
    assert stylized.shape == frame.shape
    assert stylized.std() > 20


def test_the_half_precision_vgg16() -> None:
    path = DATA / "vgg" / "vgg16_features_to_relu4_3_fp16.safetensors"
    vgg = VGGFeatures(["relu1_2", "relu4_3"], arch="vgg16", weights=path)
    image = torch.from_numpy(photo().copy()).permute(2, 0, 1)[None] / 255
    features = vgg(image)
    assert features["relu4_3"].shape[1] == 512
    assert all(value.isfinite().all() and value.std() > 0.1 for value in features.values())
