"""Training images per second beside the plain loop that everybody copies, in turns in one run.

The plain loop: float32, default memory layout, VGG-16 to relu4_3 for the stylized batch and for
the photos. Ours: as ``nst-train`` does it on this machine. Both train ``TransformerNet`` (32
channels, 5 residual blocks) on the same random batch, so that reading photos is left out.

Run it with ``make bench``.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from nst.models import GridLoss, PerceptualLoss, StabilityLoss, TransformerNet, VGGFeatures
from nst.models.perceptual_loss import DEFAULT_CONTENT_LAYERS, DEFAULT_STYLE_LAYERS
from nst.models.vgg_weights import VGGWeights, conv_shapes
from nst.train.precision import default_precision

Step = Callable[[], None]
VGG16_TAPS = (3, 8, 15, 22)  # relu1_2, relu2_2, relu3_3, relu4_3 in torchvision's features
JOHNSON_STYLE = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def plain_loop(photos: Tensor, painting: Tensor) -> Step:
    """One step of the plain loop."""
    net = TransformerNet()
    vgg = torchvision.models.vgg16(weights=None).features[:23].requires_grad_(False).eval()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)

    def features(x: Tensor) -> list[Tensor]:
        taps = []
        for index, layer in enumerate(vgg):
            x = layer(x)
            if index in VGG16_TAPS:
                taps.append(x)
        return taps

    def gram(y: Tensor) -> Tensor:
        batch, channels, height, width = y.shape
        flat = y.view(batch, channels, height * width)
        return flat.bmm(flat.transpose(1, 2)) / (channels * height * width)

    targets = [gram(y).expand(len(photos), -1, -1) for y in features(painting)]

    def step() -> None:
        optimizer.zero_grad()
        y = net(photos)
        features_y, features_x = features(y), features(photos)
        loss = F.mse_loss(features_y[1], features_x[1])
        for feature, target in zip(features_y, targets, strict=True):
            loss = loss + 1e5 * F.mse_loss(gram(feature), target)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def our_step(photos: Tensor, loss: PerceptualLoss, *, further_terms: bool = False) -> Step:
    """One step as ``StyleTransferSystem`` does it, without or with stability and grid."""
    bf16 = default_precision() == "bf16-mixed"
    net: nn.Module = TransformerNet()
    if bf16:
        loss.vgg.cast_convolutions(torch.bfloat16)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    stability, grid = StabilityLoss(), GridLoss()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
            stylized = net(photos).float()
            total = loss(stylized, photos).total
            if further_terms:
                total = total + stability(net, photos, stylized, seeds=range(len(photos)))
                total = total + grid(stylized)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    return step


def random_vgg16() -> VGGFeatures:
    """VGG-16 with random weights: they do not change the time."""
    convs = {
        name: (torch.randn(shape) / (9 * shape[1]) ** 0.5, torch.zeros(shape[0]))
        for name, shape in conv_shapes("vgg16").items()
    }
    return VGGFeatures(
        JOHNSON_STYLE,
        arch="vgg16",
        weights=VGGWeights(convs, torch.zeros(3), "random"),
        padding="reflect",
    )


def seconds(step: Step) -> float:
    """Time of one call."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns and print medians, spread and ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="steps of each, in turns")
    parser.add_argument("--size", type=int, default=256, help="side of the crops in pixels")
    parser.add_argument("--batch", type=int, default=4, help="photos per step")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    photos = torch.rand(arguments.batch, 3, arguments.size, arguments.size)
    painting = torch.rand(1, 3, arguments.size, arguments.size)
    ours = VGGFeatures([*DEFAULT_CONTENT_LAYERS, *DEFAULT_STYLE_LAYERS], padding="reflect")
    same = random_vgg16()
    steps = {
        "plain loop": plain_loop(photos, painting),
        "nst-train, content and style": our_step(photos, PerceptualLoss(painting, vgg=ours)),
        "nst-train, stability and grid": our_step(
            photos, PerceptualLoss(painting, vgg=ours), further_terms=True
        ),
        "nst-train, the plain loop's VGG": our_step(
            photos,
            PerceptualLoss(
                painting, vgg=same, content_layers=("relu2_2",), style_layers=JOHNSON_STYLE
            ),
        ),
    }
    for step in steps.values():
        step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            times[name].append(seconds(step))
    print(
        f"{arguments.batch} x {arguments.size} px, {torch.get_num_threads()} threads, "
        f"{default_precision()}, torch {torch.__version__}"
    )
    plain = times["plain loop"]
    for name, taken in times.items():
        ratio = statistics.median(p / t for p, t in zip(plain, taken, strict=True))
        rates = [arguments.batch / t for t in taken]
        print(
            f"{name:32} {statistics.median(rates):5.2f} images/s "
            f"({min(rates):.2f} to {max(rates):.2f})  {ratio:.2f} x"
        )


if __name__ == "__main__":
    main()
