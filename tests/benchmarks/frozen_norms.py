"""What it costs to replace instance norm by fixed statistics after training.

    python tests/benchmarks/frozen_norms.py RUN --content PHOTOS --test PHOTOS [--images 3000]
        [--gradually] [--distill 0]

RUN is a folder of nst-train. The statistics of each norm become the means over 200 photos, and the
network is trained on with them; ``--gradually`` freezes one norm after the other in the first half
of that, ``--distill`` adds the squared difference from the pictures of RUN with that weight. Prints
mean content and style loss, as nst-evaluate counts them, before, frozen, and after the training.
"""

import argparse
import copy
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.infer.pictures.images import on_white, read_image
from nst.infer.pictures.photo_files import find_photos, spread
from nst.models import PerceptualLoss, StyleNet, StyleNorm, VGGFeatures, load_trained_net
from nst.models.perceptual_loss import DEFAULT_CONTENT_LAYERS, DEFAULT_STYLE_LAYERS
from nst.train.optimizers import OPTIMIZERS
from nst.train.painting import at_size
from nst.train.photos import PhotoDataModule
from nst.train.schedule import learning_rate_factor

LEARNING_RATE = 1e-3
STATISTICS_PHOTOS = 200
STATISTICS_PX = 256


class FrozenNorm(StyleNorm):
    """A norm whose mean and variance are constants once it is frozen."""

    mean: Tensor
    variance: Tensor
    frozen = False

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.frozen:
            return super().forward(x)
        weight, bias = self.scale_and_shift()
        return F.batch_norm(x, self.mean, self.variance, weight, bias, eps=self.eps)


def freezable(net: StyleNet) -> list[FrozenNorm]:
    """The norms of a network, which can be frozen from now on, in the order of their use."""
    norms = []
    for module in net.modules():
        if isinstance(module, StyleNorm):
            module.__class__ = FrozenNorm
            assert isinstance(module, FrozenNorm)
            norms.append(module)
    return norms


def freeze(net: StyleNet, norm: FrozenNorm, photos: list[Tensor]) -> None:
    """Freeze a norm at the means over photos of what it sees now."""
    sums = torch.zeros(2, norm.num_features)

    def note(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        sums.add_(torch.stack([mean, variance]))

    with norm.register_forward_pre_hook(note), torch.no_grad():
        for photo in photos:
            net(photo)
    norm.mean, norm.variance = sums / len(photos)
    norm.frozen = True


def train(
    net: StyleNet, loss: PerceptualLoss, batches: Iterator[Tensor], settings: argparse.Namespace
) -> None:
    """Train a network on, and freeze what is not frozen yet."""
    optimizer = OPTIMIZERS["muon"]([{"params": list(net.parameters())}], lr=LEARNING_RATE)
    left = [norm for norm in freezable(net) if not norm.frozen]
    interval = settings.images // 2 // max(1, len(left))
    for step, photos in enumerate(islice(batches, settings.images)):
        if left and step % interval == 0:
            freeze(net, left.pop(0), settings.photos)
        rate = learning_rate_factor(step, step / settings.images)
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * rate
        with torch.autocast("cpu", torch.bfloat16):
            stylized = net(photos).float()
            total = loss(stylized, photos).total
            if settings.distill:
                with torch.no_grad():
                    target = settings.teacher(photos).float()
                total = total + settings.distill * (stylized - target).square().mean()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


def judge(name: str, net: StyleNet, loss: PerceptualLoss, paths: list[Path]) -> None:
    """Print a row of the table."""
    scores = []
    for path in paths:
        photo = at_size(on_white(read_image(path)), 512)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            terms = loss(net(photo).float().clamp(0, 1), photo)
        scores.append(torch.stack([terms.content, terms.style]))
    content, style = torch.stack(scores).mean(0).tolist()
    print(f"| {name} | {content + 12 * style:.3f} | {content:.3f} | {style:.4f} |", flush=True)


def main() -> None:
    """Freeze, train, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of nst-train")
    parser.add_argument("--content", type=Path, required=True, help="photos to train on")
    parser.add_argument("--test", type=Path, required=True, help="photos to judge on")
    parser.add_argument("--images", type=int, default=3000, help="that it is trained on with")
    parser.add_argument("--gradually", action="store_true", help="one norm after the other")
    parser.add_argument("--distill", type=float, default=0.0, help="weight")
    settings = parser.parse_args()
    trained = load_trained_net(settings.run)
    assert trained.painting is not None, "the run does not hold its painting"
    net = trained.net
    layers = [*DEFAULT_CONTENT_LAYERS, *DEFAULT_STYLE_LAYERS]
    vgg = VGGFeatures(layers, arch="vgg19", padding="reflect")
    vgg.cast_convolutions(torch.bfloat16)
    loss = PerceptualLoss(trained.painting, vgg=vgg)
    paths = find_photos(settings.test)
    judge("instance norm", net, loss, paths)
    torch.manual_seed(0)
    settings.teacher = copy.deepcopy(net)
    chosen = spread(find_photos(settings.content), STATISTICS_PHOTOS)
    settings.photos = [at_size(on_white(read_image(path)), STATISTICS_PX) for path in chosen]
    if not settings.gradually:
        for norm in freezable(net):
            freeze(net, norm, settings.photos)
        judge("frozen", net, loss, paths)
    data = PhotoDataModule(settings.content, workers=1)
    train(net, loss, (batch.photos for batch in data.train_dataloader()), settings)
    judge(f"frozen, and trained on with {settings.images} photos", net, loss, paths)


if __name__ == "__main__":
    main()
