"""The page of the styles that come with nst: what each makes of three photos, and its numbers.

    python demo/gallery.py

writes ``docs/styles.md`` and its pictures anew, from the models in the package and from
``demo/styles_measured.json``, which ``make styles`` with ``TEST=folder`` fills.
"""

import json
from pathlib import Path
from typing import Any

import yaml
from PIL import Image
from styles import MEASURED, STYLES

from nst.infer import Stylizer
from nst.infer.engine.model_card import read_card
from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.infer.pictures.images import write_image
from nst.infer.styles import TIERS, find_style, shipped_styles

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "train" / "content"
SHOWN = ("picos_de_europa", "astronaut", "friends")
CREDIT = "Photos: Aitzol Berasategi, CC BY 4.0, and NASA."
PAGE = ROOT / "docs" / "styles.md"
PICTURES = ROOT / "docs" / "pictures" / "styles"
SIDE_PX = 768
"""Longer side of a photo when it is stylized."""
HEIGHT_PX = 320
"""Of each picture on the page."""
INTRODUCTION = """# The styles that come with nst

Photo, `realtime`, `quality`: stylized at a longer side of {side} px, shown {height} px high.
{credit}

The numbers are means over photos that were not trained on, at 512 px, by `nst-evaluate`: content
and style loss of VGG-19 (less is nearer to the photo and to the painting), grid energy (1 is the
photo's own, the aim is at most 1.5), e_warp (less is steadier on video). The files hold their
weights as int8 (`nst-export --strength --weights int8`). Written by `python demo/gallery.py`.
"""


def main() -> None:
    """Write the page."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    recipe = yaml.safe_load(STYLES.read_text(encoding="utf-8"))["styles"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    introduction = INTRODUCTION.format(side=SIDE_PX, height=HEIGHT_PX, credit=CREDIT)
    sections = [introduction]
    for style in shipped_styles():
        write_image(picture(style.name), PICTURES / f"{style.name}.webp", {"quality": 72})
        is_stretched = recipe[style.name].get("stretched", False)
        sections.append(card(style.name, measured, is_stretched=is_stretched))
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def picture(name: str) -> Image.Image:
    """The photos, and what each tier makes of them."""
    networks = [Stylizer(find_style(name, tier)) for tier in TIERS]
    rows = []
    for stem in SHOWN:
        with Image.open(PHOTOS / f"{stem}.jpg") as photo:
            photo.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
            rows.append([Cell(photo.copy()), *(Cell(network(photo)) for network in networks)])
    return contact_sheet(rows, height_px=HEIGHT_PX)


def card(name: str, measured: dict[str, Any], *, is_stretched: bool) -> str:
    """Whose painting it is, how its networks were trained, and their numbers."""
    facts = {tier: read_card(find_style(name, tier)) for tier in TIERS}
    about = facts[TIERS[0]]
    stretched = " Its picture is dull, and was stretched for training." if is_stretched else ""
    lines = [
        f"## {name}",
        "",
        f"{about['artist']}, *{about['title']}*, {about['year']}; {about['license']}.{stretched}",
        "",
        f"![Three photos in {name}](pictures/styles/{name}.webp)",
        "",
        "| Tier | crops | minutes | painting | content | style | grid | e_warp | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row(facts[tier], measured[tier][name]) for tier in TIERS), ""])


def row(facts: dict[str, Any], measured: dict[str, float]) -> str:
    """A network's line of the card."""
    training = facts["training"]
    crops = f"{training['steps'] * training['batch_size']:,} of {training['crop_px']} px"
    cells = [
        facts["tier"],
        crops,
        f"{measured['seconds'] / 60:.0f}",
        f"{training['style_size_px']} px",
        *(f"{measured[measure]:.3g}" for measure in ("content", "style", "grid", "e_warp")),
        f"{facts['size_bytes'] / 1e6:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
