"""The styles that come with nst, trained anew.

    make styles PAINTINGS=folder PHOTOS=folder TEST=folder

The folder of paintings holds the files that ``styles.yaml`` names. For each of them this calls the
commands as a person would: ``nst-train`` on the photos, ``nst-export``, and ``nst-evaluate`` if
there are other photos to judge on, whose numbers go into ``styles_measured.json``. A style that is
there is kept, so that it can be stopped and started again.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from our_commands import shown
from PIL import Image, ImageOps

STYLES = Path(__file__).resolve().with_name("styles.yaml")
MEASURED = STYLES.with_name("styles_measured.json")
MEASURES = ("total", "content", "style", "grid", "e_warp")
PUBLIC_DOMAIN = "public domain"
CUTOFF_PERCENT = 0.5
"""Of the darkest and of the brightest pixels, which become black and white."""


def run(command: str, *arguments: object) -> str:
    """Call one of our commands, and give what it prints; if it fails, so do we."""
    line = shown(command, *arguments)
    finished = subprocess.run(line, check=False, stdout=subprocess.PIPE, text=True)
    if finished.returncode:
        sys.exit(finished.returncode)
    return finished.stdout


def train(name: str, recipe: dict[str, Any], settings: argparse.Namespace) -> Path:
    """The finished model of a style; the file ``seconds`` beside it says how long it took."""
    about = recipe["styles"][name]
    folder: Path = settings.out / settings.tier / name
    model = folder / "shipped" / f"{name}.onnx"
    if model.exists():
        return model
    begun = time.time()
    credit = {key: about[key] for key in ("title", "artist", "year")} | {"license": PUBLIC_DOMAIN}
    run(
        "nst-train",
        *("--config", settings.tier, "--style", prepare_painting(name, recipe, settings)),
        *("--content", settings.photos, "--out", folder, "--run.overwrite", "true"),
        *(part for key, value in credit.items() for part in (f"--model.credit.{key}", value)),
        *flags_of(name, recipe, settings.tier),
    )
    (folder / "seconds").write_text(f"{time.time() - begun:.0f}", encoding="ascii")
    model.parent.mkdir(exist_ok=True)
    run("nst-export", folder, "--strength", "--weights", "int8", "-o", model)
    return model


def flags_of(name: str, recipe: dict[str, Any], tier: str) -> list[str]:
    """Of ``nst-train``; where one comes twice, the later wins."""
    about = recipe["styles"][name]
    losses = recipe["losses"][about["losses"]] if "losses" in about else []
    return [*recipe["tiers"].get(tier, []), *losses, *about.get("flags", []), *about.get(tier, [])]


def find_painting(folder: Path, name: str) -> Path:
    """The file of a painting."""
    found = sorted(folder.glob(f"{name}.*"))
    if not found:
        sys.exit(f"{folder} has no painting {name}: give a folder that has those in {STYLES}")
    return found[0]


def prepare_painting(name: str, recipe: dict[str, Any], settings: argparse.Namespace) -> Path:
    """The file of a painting, or where the recipe says so a copy with stretched contrast."""
    painting = find_painting(settings.paintings, name)
    if not recipe["styles"][name].get("stretched"):
        return painting
    copy: Path = settings.out / "paintings" / f"{name}.png"
    copy.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(painting) as picture:
        rgb = picture.convert("RGB")
    ImageOps.autocontrast(rgb, cutoff=CUTOFF_PERCENT, preserve_tone=True).save(copy)
    return copy


def judge(
    name: str, model: Path, recipe: dict[str, Any], settings: argparse.Namespace
) -> dict[str, float]:
    """What ``nst-evaluate`` says of a style, means over the test photos."""
    report = run(
        "nst-evaluate",
        model,
        *("--style", prepare_painting(name, recipe, settings), "--content", settings.test),
        *("--json", "--no-cost", "--overwrite", "--other-vgg-weights", "none"),
        *("--out", model.with_suffix(".html")),
    )
    (judged,) = json.loads(report)["models"].values()
    return {measure: judged["measures"][measure]["mean"] for measure in MEASURES}


def keep(name: str, tier: str, measures: dict[str, float]) -> None:
    """Write down what was measured, beside what is there of other styles."""
    there = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    there.setdefault(tier, {})[name] = {key: round(value, 4) for key, value in measures.items()}
    MEASURED.write_text(json.dumps(there, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Train, export and judge every style."""
    recipe = yaml.safe_load(STYLES.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paintings", type=Path, required=True, help="folder")
    parser.add_argument("--photos", type=Path, required=True, help="folder to train on")
    parser.add_argument("--test", type=Path, help="folder to judge on; none leaves that out")
    parser.add_argument("--tier", default="realtime", help="settings of nst-train")
    parser.add_argument("--only", nargs="+", choices=recipe["styles"], help="these styles alone")
    parser.add_argument("--out", type=Path, default=Path("runs/styles"))
    settings = parser.parse_args()
    for name in settings.only or recipe["styles"]:
        model = train(name, recipe, settings)
        if settings.test:
            seconds = float((model.parent.parent / "seconds").read_text(encoding="ascii"))
            keep(name, settings.tier, judge(name, model, recipe, settings) | {"seconds": seconds})


if __name__ == "__main__":
    main()
