"""The whole path on pictures that come with nst: train, export, stylize, compare.

Run it with ``make demo``. It calls the three commands as a person would, and writes
``runs/demo/side_by_side.png``: photo, painting, result.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from our_commands import shown
from PIL import Image

from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.train.photos import PACKAGED_PHOTOS

HERE = Path(__file__).resolve().parent
PAINTING = HERE / "paintings" / "cafe_terrace_at_night.jpg"
PHOTO = PACKAGED_PHOTOS / "friends.jpg"
RUN = Path("runs") / "demo"
STEPS = 1000
HEIGHT_PX = 640


def main() -> int:
    """Run the three commands. Returns the exit status of the first that fails, or 0."""
    if RUN.exists():
        shutil.rmtree(RUN)
    model, stylized = RUN / "demo.onnx", RUN / "stylized.jpg"
    steps = [
        [
            *("nst-train", "--style", PAINTING, "--out", RUN, "--trainer.max_steps", STEPS),
            *("--model.credit.title", "Café Terrace at Night", "--model.credit.year", 1888),
            *("--model.credit.artist", "Vincent van Gogh"),
            *("--model.credit.license", "public domain"),
        ],
        ["nst-export", RUN, "-o", model],
        ["nst-infer", PHOTO, "--style", model, "-o", stylized],
    ]
    for step in steps:
        status = subprocess.run(shown(*step), check=False).returncode
        if status:
            return status
    comparison = RUN / "side_by_side.png"
    side_by_side([PHOTO, PAINTING, stylized]).save(comparison)
    print(f"\nmodel         {model}\nresult        {stylized}\nside by side  {comparison}")
    return 0


def side_by_side(paths: list[Path]) -> Image.Image:
    """Pictures of equal height in one row on white."""
    return contact_sheet([[Cell(Image.open(path)) for path in paths]], height_px=HEIGHT_PX)


if __name__ == "__main__":
    sys.exit(main())
