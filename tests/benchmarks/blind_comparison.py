"""A blind comparison of our models with those of other projects for the same paintings.

    python tests/benchmarks/blind_comparison.py pairs --pair OURS.onnx THEIRS.onnx [--pair ...] \\
        --photos FOLDER --out FOLDER --key FILE [--size 768] [--photos-each 6] [--seed 0]
    python tests/benchmarks/blind_comparison.py verdict --out FOLDER --key FILE

``pairs`` writes a picture for each photo of each pair: the photo, small, and the results A and B at
their full size, in random order. Every pair has photos of its own, as far as they suffice, so that
a model that is in two pairs is not seen twice on one photo. ``verdicts.csv`` beside the pictures
takes the verdicts: A, B or = under ``preferred``, and under ``why`` what one likes, in quotes if it
has commas. The key says which is which, and lies elsewhere: leave it closed until all verdicts are
in.

``verdict`` counts them and prints a table. The p-value is that of a two-sided sign test without the
pictures that are equal. A model is soon known by its look, so that the verdicts on a pair are not
independent, and p is too small. ``verdict`` keeps the sha256 of ``verdicts.csv`` in the key, and
says so if other verdicts were counted with this key before.

Losses of the same models, as means over photos, come from

    nst-evaluate OURS.onnx THEIRS.onnx --style PAINTING --content PHOTOS --size 768
"""

import argparse
import csv
import hashlib
import io
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from nst.infer import Stylizer, UserError
from nst.infer.files import atomic_write, check_writable, ensure_folder, require_file
from nst.infer.pictures.contact_sheet import INDENT_PX, caption_height, font
from nst.infer.pictures.images import on_white, read_image, write_image
from nst.infer.pictures.photo_files import find_photos
from nst.infer.style_sheet import shrunk

VERDICTS = "verdicts.csv"
COLUMNS = ("picture", "preferred", "why")
CHOICES = ("A", "B", "=")
ORDERS = (("ours", "theirs"), ("theirs", "ours"))
GREY = "#808080"
"""Behind the pictures: makes neither look lighter or darker than it is."""
GAP_PX = 16
PHOTO_SHARE = 3
"""The results are so many times as large as the photo beside them."""


class Picture(NamedTuple):
    """One comparison: two models, as they were named, on one photo, and which is A and which B."""

    ours: str
    theirs: str
    photo: Path
    order: tuple[str, str]

    @property
    def models(self) -> tuple[str, str]:
        """A and B."""
        return (self.ours, self.theirs) if self.order == ORDERS[0] else (self.theirs, self.ours)


def plan(
    pairs: Sequence[tuple[str, str]], photos: Sequence[Path], photos_each: int, seed: int
) -> dict[str, Picture]:
    """Pictures by file name, in random order; the same seed gives the same.

    Raises:
        UserError: if there are fewer photos than each pair is to have.
    """
    if not 0 < photos_each <= len(photos):
        raise UserError(f"--photos-each is 1 to {len(photos)}, the photos that there are")
    chance = random.Random(seed)
    dealt = cycle(chance.sample(photos, len(photos)))
    pictures = [
        Picture(ours, theirs, photo, chance.choice(ORDERS))
        for ours, theirs in pairs
        for photo in islice(dealt, photos_each)
    ]
    chance.shuffle(pictures)
    return {f"{number:03d}.png": picture for number, picture in enumerate(pictures, start=1)}


def places(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Left and top of A and B: below each other if they are wide, else beside each other."""
    left, top = max(1, width // PHOTO_SHARE) + GAP_PX, caption_height()
    if width > height:
        return (left, top), (left, top + height + GAP_PX + caption_height())
    return (left, top), (left + width + GAP_PX, top)


def lay_out(photo: Image.Image, results: Sequence[Image.Image]) -> Image.Image:
    """The photo, small, and on its right the results at their full size, called A and B."""
    width, height = photo.size
    spots = places(width, height)
    size = (spots[-1][0] + width, spots[-1][1] + height)
    sheet = Image.new("RGB", size, GREY)
    small = shrunk(photo, max(photo.size) // PHOTO_SHARE)
    sheet.paste(small, (0, caption_height()))
    draw = ImageDraw.Draw(sheet)
    for letter, result, (left, top) in zip("AB", results, spots, strict=True):
        draw.text((left + INDENT_PX, top - caption_height()), letter, "white", font())
        sheet.paste(result, (left, top))
    return sheet


def check_places(out: Path, key: Path) -> None:
    """Refuse a key that would lie among the pictures, and to replace what is there."""
    if key.resolve().is_relative_to(out.resolve()):
        raise UserError(f"the key {key} would lie among the pictures: name a file elsewhere")
    if key.exists():
        raise UserError(f"there is a key {key}: name another file, or delete it")
    ensure_folder(out)
    if any(out.iterdir()):
        raise UserError(f"the folder {out} is not empty: name another")
    check_writable(key)


def write_pairs(settings: argparse.Namespace) -> None:
    """Pictures, an empty form for the verdicts, and the key."""
    pairs = [(ours, theirs) for ours, theirs in settings.pair]
    pictures = plan(pairs, find_photos(settings.photos), settings.photos_each, settings.seed)
    stylizers = {model: Stylizer(model) for pair in pairs for model in pair}
    check_places(settings.out, settings.key)
    key: dict[str, Any] = {"seed": settings.seed, "size": settings.size, "verdicts_sha256": []}
    key["pictures"] = {}
    for name, picture in pictures.items():
        photo = shrunk(on_white(read_image(picture.photo)), settings.size)
        path = settings.out / name
        write_image(lay_out(photo, [stylizers[model](photo) for model in picture.models]), path)
        key["pictures"][name] = {
            **dict(zip("AB", picture.order, strict=True)),
            "ours": picture.ours,
            "theirs": picture.theirs,
            "photo": picture.photo.relative_to(settings.photos).as_posix(),
            "sha256": sha256(path),
        }
    with (settings.out / VERDICTS).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [COLUMNS, *([name, "", ""] for name in pictures)]
        )
    write_key(settings.key, key)
    print(f"{len(pictures)} pictures: fill in {settings.out / VERDICTS}, then call verdict")


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_key(path: Path, key: dict[str, Any]) -> None:
    """Write or replace the key."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def read_key(path: Path, out: Path) -> dict[str, Any]:
    """The key of these pictures.

    Raises:
        UserError: if it is none, or that of other pictures.
    """
    require_file(path)
    try:
        key: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        digests = {name: entry["sha256"] for name, entry in key["pictures"].items()}
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise UserError(f"{path} is not a key") from error
    for name, digest in digests.items():
        require_file(out / name)
        if sha256(out / name) != digest:
            raise UserError(f"{path} is not the key of {out / name}")
    return key


def read_verdicts(text: str, names: Sequence[str]) -> dict[str, str]:
    """What is preferred, by picture.

    Raises:
        UserError: if a verdict is missing, given twice, malformed, or of no picture.
    """
    rows = list(csv.reader(io.StringIO(text, newline=None)))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise UserError(f"the first line of {VERDICTS} has to be {','.join(COLUMNS)}")
    verdicts: dict[str, str] = {}
    for row in filter(None, rows[1:]):
        if len(row) != len(COLUMNS):
            raise UserError(
                f"{VERDICTS} has {len(row)} columns for {row[0]}, not {len(COLUMNS)}: put a text "
                "with commas in quotes"
            )
        number, preferred, _ = row
        name = f"{number.removesuffix('.png')}.png"
        if name not in names or name in verdicts:
            raise UserError(f"{VERDICTS} has {name!r} twice, or there is no such picture")
        if preferred not in CHOICES:
            raise UserError(f"the verdict on {name} is {preferred!r}: give A, B or =")
        verdicts[name] = preferred
    missing = [name for name in names if name not in verdicts]
    if missing:
        raise UserError(f"{VERDICTS} has no verdict on {', '.join(missing)}")
    return verdicts


def count(verdicts: dict[str, str], key: dict[str, Any]) -> dict[tuple[str, str], Counter[str]]:
    """How often "ours", "theirs" and "=" was preferred, by pair of models, ours first."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for name, entry in key["pictures"].items():
        said = entry.get(verdicts[name], "=")
        counts.setdefault((entry["ours"], entry["theirs"]), Counter())[said] += 1
    return dict(sorted(counts.items()))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p-value: how probable so uneven a count is if either is as likely."""
    trials = wins + losses
    tail = sum(math.comb(trials, fewer) for fewer in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / (1 << trials))


def table(counts: dict[tuple[str, str], Counter[str]]) -> Iterator[str]:
    """Lines of Markdown, a row per pair and one for all."""
    yield "| Ours | Theirs | ours preferred | theirs preferred | equal | p |"
    yield "|---" * 6 + "|"
    total = sum(counts.values(), start=Counter[str]())
    for (ours, theirs), said in [*counts.items(), (("all", ""), total)]:
        p = sign_test(said["ours"], said["theirs"])
        yield f"| {ours} | {theirs} | {said['ours']} | {said['theirs']} | {said['=']} | {p:.2g} |"


def print_verdict(settings: argparse.Namespace) -> None:
    """Count, record what was counted, and print."""
    form = settings.out / VERDICTS
    require_file(form)
    key = read_key(settings.key, settings.out)
    content = form.read_bytes()
    verdicts = read_verdicts(content.decode("utf-8-sig", "replace"), list(key["pictures"]))
    digest = hashlib.sha256(content).hexdigest()
    counted: list[str] = key["verdicts_sha256"]
    if digest not in counted:
        counted.append(digest)
        write_key(settings.key, key)
    print("\n".join(table(count(verdicts, key))))
    print(f"\nsha256 of {VERDICTS}: {digest}")
    if digest != counted[0]:
        print(f"Not blind: other verdicts were counted with this key before, sha256 {counted[0]}")


def main() -> None:
    """Write the pictures, or count the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    pairs = commands.add_parser("pairs", help="write pictures to compare")
    pairs.set_defaults(run=write_pairs)
    pairs.add_argument(
        "--pair", nargs=2, action="append", required=True, metavar=("OURS", "THEIRS"), help="models"
    )
    pairs.add_argument("--photos", type=Path, required=True, help="folder to choose photos from")
    pairs.add_argument("--size", type=int, default=768, help="longer side; nothing is enlarged")
    pairs.add_argument("--photos-each", type=int, default=6, help="photos for each pair")
    pairs.add_argument("--seed", type=int, default=0, help="of the choice and the order")
    verdict = commands.add_parser("verdict", help="count the verdicts")
    verdict.set_defaults(run=print_verdict)
    for command in (pairs, verdict):
        command.add_argument("--out", type=Path, required=True, help="folder of the pictures")
        command.add_argument("--key", type=Path, required=True, help="file outside that folder")
    settings = parser.parse_args()
    try:
        settings.run(settings)
    except UserError as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
