"""What the strength knob is worth: beside it a mix of the photo and the picture at full strength.

    python tests/benchmarks/strength_knob.py RUN --photos FOLDER [--size 512]

RUN is a folder of nst-train. Prints mean relative content and style loss at several strengths, as
nst-evaluate counts them.
"""

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nst.infer.pictures.images import on_white, read_image
from nst.infer.pictures.photo_files import find_photos
from nst.models import PerceptualLoss, StyleNet, VGGFeatures, load_trained_net
from nst.models.perceptual_loss import DEFAULT_CONTENT_LAYERS, DEFAULT_STYLE_LAYERS
from nst.train.painting import at_size

STRENGTHS = (1.0, 0.9, 0.75, 0.5, 0.25, 0.0)


def pictures(net: StyleNet, photo: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """With the knob, and mixed, both clamped."""
    full = net(photo).clamp(0, 1)
    knob = net(photo, torch.tensor(strength)).clamp(0, 1)
    return knob, torch.lerp(photo, full, strength)


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of nst-train")
    parser.add_argument("--photos", type=Path, required=True, help="photos to judge on")
    parser.add_argument("--size", type=int, default=512, help="longer side of the photos")
    arguments = parser.parse_args()
    trained = load_trained_net(arguments.run)
    if trained.painting is None:
        parser.error("the run does not hold its painting: train it anew")
    layers = [*DEFAULT_CONTENT_LAYERS, *DEFAULT_STYLE_LAYERS]
    vgg = VGGFeatures(layers, arch="vgg19", padding="reflect")
    loss = PerceptualLoss(trained.painting, vgg=vgg)
    sums = {strength: torch.zeros(2, 2) for strength in STRENGTHS}
    paths = find_photos(arguments.photos)
    for path in paths:
        picture: Image.Image = on_white(read_image(path))
        photo = at_size(picture, arguments.size)
        with torch.no_grad():
            for strength in STRENGTHS:
                for row, result in enumerate(pictures(trained.net, photo, strength)):
                    terms = loss(result, photo)
                    sums[strength][row] += torch.stack([terms.content, terms.style])
    print("| Strength | knob: content | style | mix of pixels: content | style |")
    print("|---|---|---|---|---|")
    for strength, total in sums.items():
        (content, style), (mixed_content, mixed_style) = (total / len(paths)).tolist()
        print(
            f"| {strength:g} | {content:.3f} | {style:.3f} | {mixed_content:.3f} "
            f"| {mixed_style:.3f} |"
        )


if __name__ == "__main__":
    main()
