"""The picture in the guide of what goes wrong: short runs, each with one mistake.

    python demo/what_goes_wrong.py --paintings FOLDER --photos FOLDER

The folder of paintings holds those that ``MISTAKES`` names, as for ``make styles``. A run whose
model is there is kept. Writes ``docs/pictures/what_goes_wrong.webp``.
"""

import argparse
from pathlib import Path

from PIL import Image
from styles import find_painting, run

from nst.infer import Stylizer
from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.infer.pictures.images import write_image

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "train" / "content" / "astronaut.jpg"
PICTURE = ROOT / "docs" / "pictures" / "what_goes_wrong.webp"
HEIGHT_PX = 400
STEPS = ("--trainer.max_steps", "400")
MISTAKES: dict[str, tuple[str, tuple[str, ...]]] = {
    "too little style": ("udnie", ("--model.style_strength", "0.15", *STEPS)),
    "too much style": ("udnie", ("--model.style_strength", "6", *STEPS)),
    "60 steps from nothing": ("udnie", ("--warm-start", "none", "--trainer.max_steps", "60")),
    "painting at 256 px": ("starry_night", ("--model.style_size", "256", *STEPS)),
    "a dull picture": (
        "the_scream",
        (
            *("--config", "quality", "--model.style_size", "768", "--model.style_weight", "6"),
            *("--model.style_strength", "0.3", "--trainer.max_steps", "1200"),
        ),
    ),
}
"""What it looks like; the painting, and flags of nst-train."""


def train(mistake: str, settings: argparse.Namespace) -> Path:
    """The model of a run that makes this mistake."""
    painting, flags = MISTAKES[mistake]
    folder: Path = settings.out / mistake.replace(" ", "_")
    model = folder / f"{painting}.onnx"
    if not model.exists():
        run(
            *("nst-train", "--style", find_painting(settings.paintings, painting)),
            *("--content", settings.photos, "--out", folder, "--run.report", "false"),
            *("--model.knob_share", "0", *flags),
        )
    return model


def main() -> None:
    """Train all, and draw what they make of one photo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paintings", type=Path, required=True, help="folder")
    parser.add_argument("--photos", type=Path, required=True, help="folder to train on")
    parser.add_argument("--out", type=Path, default=Path("runs/what_goes_wrong"))
    settings = parser.parse_args()
    models = {mistake: train(mistake, settings) for mistake in MISTAKES}
    with Image.open(PHOTO) as photo:
        row = [Cell(Stylizer(model)(photo), mistake) for mistake, model in models.items()]
    write_image(contact_sheet([row], height_px=HEIGHT_PX), PICTURE, {"quality": 80})


if __name__ == "__main__":
    main()
