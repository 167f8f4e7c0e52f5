"""Where the statistics for tiles can come from: how far each source is from the whole picture.

    python tests/benchmarks/fixed_statistics.py MODEL PHOTO...

MODEL was exported with ``nst-export --statistics``. Each photo is stylized whole, and again with
statistics of a thumbnail, or of crops of the photo put side by side into one picture. The
difference is given in levels of 255: mean over pixels and largest, over all photos.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.export.parity import open_session

Pixels = NDArray[np.uint8]
LONG_SIDE_PX = 2048
THUMBNAILS_PX = (1024, 512, 256)
CROPS = ((3, 256), (6, 256), (4, 384), (12, 128))
"""So many along each side, of so many pixels."""


def collage(frame: Pixels, count: int, side: int) -> Pixels:
    """Evenly spaced crops of (H, W, 3), edge to edge: (count * side, count * side, 3)."""
    tops = np.linspace(0, frame.shape[0] - side, count).astype(int)
    lefts = np.linspace(0, frame.shape[1] - side, count).astype(int)
    rows = [
        np.concatenate([frame[top : top + side, left : left + side] for left in lefts], axis=1)
        for top in tops
    ]
    return np.concatenate(rows)


def sources(photo: Image.Image) -> dict[str, Pixels]:
    """Pictures whose statistics might do for the whole, by name."""
    found: dict[str, Pixels] = {}
    for side in THUMBNAILS_PX:
        thumbnail = photo.copy()
        thumbnail.thumbnail((side, side), Image.Resampling.BOX)
        found[f"thumbnail of {side} px"] = np.asarray(thumbnail)
    for count, side in CROPS:
        found[f"{count}x{count} crops of {side} px"] = collage(np.asarray(photo), count, side)
    return found


def main(model: str, *photos: str) -> None:
    """Print one line per source."""
    session = open_session(Path(model))
    means, largest = defaultdict(list), defaultdict(list)
    for path in photos:
        photo = Image.open(path).convert("RGB")
        photo.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.LANCZOS)
        image = np.asarray(photo)[None]
        whole = session.run(["stylized"], {"image": image})[0].astype(np.int16)
        for name, source in sources(photo).items():
            statistics = session.run(["statistics"], {"image": source[None]})[0]
            inputs = {"image": image, "fixed_statistics": statistics}
            difference = np.abs(session.run(["stylized"], inputs)[0] - whole)
            means[name].append(difference.mean())
            largest[name].append(int(difference.max()))
    for name, values in means.items():
        print(
            f"{name:24s} mean {np.mean(values):5.2f}  worst photo {max(values):5.2f}  "
            f"largest {max(largest[name]):3d}"
        )


if __name__ == "__main__":
    if len(sys.argv) < 3 or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    main(*sys.argv[1:])
