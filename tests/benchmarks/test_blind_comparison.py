"""The blind comparison is blind, and counts right."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import blind_comparison
import numpy as np
import pytest
from blind_comparison import VERDICTS, places, plan, sign_test
from graphs import save_float_style, save_negative
from PIL import Image
from synthetic import natural_frames

from nst.infer import Stylizer, UserError

SIZES = ((40, 30), (30, 40), (64, 24))
SIZE_PX = 48


class Comparison:
    """The script on two pairs of models and three photos each, with the files that it is given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.photos, self.out = folder / "photos", folder / "out"
        self.key_file = folder / "key.json"
        self.form = self.out / VERDICTS
        self.ours = [str(save_negative(folder / f"ours_{number}.onnx")) for number in range(2)]
        self.theirs = str(save_float_style(folder / "theirs.onnx"))
        self.photos.mkdir()
        for number, (width, height) in enumerate(SIZES):
            (frame,) = natural_frames((1, height, width), seed=number)
            Image.fromarray(frame).save(self.photos / f"photo_{number}.png")

    def call(self, *flags: object) -> None:
        files = ("--out", self.out, "--key", self.key_file)
        argv = ["blind_comparison", *map(str, (*flags, *files))]
        self.monkeypatch.setattr(sys, "argv", argv)
        blind_comparison.main()

    def pairs(self, photos_each: int = len(SIZES)) -> None:
        models = [flag for ours in self.ours for flag in ("--pair", ours, self.theirs)]
        numbers = ("--size", SIZE_PX, "--photos-each", photos_each, "--seed", 3)
        self.call("pairs", *models, "--photos", self.photos, *numbers)

    def verdict(self) -> None:
        self.call("verdict")

    def key(self) -> dict[str, Any]:
        key: dict[str, Any] = json.loads(self.key_file.read_text())
        return key

    def fill_in(self, preferred: dict[str, str], why: str = "") -> None:
        rows = [f"{name},{choice},{why}\n" for name, choice in preferred.items()]
        self.form.write_text("".join(["picture,preferred,why\n", *rows]))

    def preferring(self, wanted: str) -> dict[str, str]:
        """Verdicts for ``ours`` or ``theirs``, throughout."""
        pictures = self.key()["pictures"].items()
        return {name: "A" if entry["A"] == wanted else "B" for name, entry in pictures}


@pytest.fixture
def comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    return Comparison(tmp_path, monkeypatch)


@pytest.fixture
def written(comparison: Comparison) -> Comparison:
    comparison.pairs()
    return comparison


PHOTOS = [Path(f"{number}.jpg") for number in range(40)]
PAIRS = [("a", "b"), ("c", "b"), ("d", "e")]


def test_a_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan(PAIRS, PHOTOS, 12, 5) == plan(PAIRS, PHOTOS, 12, 5)
    assert plan(PAIRS, PHOTOS, 12, 5) != plan(PAIRS, PHOTOS, 12, 6)


def test_pictures_and_orders_are_shuffled() -> None:
    pictures = list(plan(PAIRS, PHOTOS, 12, 0).values())
    assert 12 <= Counter(picture.order[0] for picture in pictures)["ours"] <= 24
    for pair in PAIRS:
        numbers = [
            n for n, picture in enumerate(pictures) if (picture.ours, picture.theirs) == pair
        ]
        assert len(numbers) == 12
        assert numbers[-1] - numbers[0] > 20
        assert len({pictures[number].order for number in numbers}) == 2


def test_every_pair_has_photos_of_its_own() -> None:
    seen = [picture.photo for picture in plan(PAIRS, PHOTOS, 13, 0).values()]
    assert len(set(seen)) == 39


def test_photos_that_do_not_suffice_are_shared_by_pairs_but_not_within_one() -> None:
    pictures = plan(PAIRS, PHOTOS[:5], 4, 0).values()
    assert len({(picture.ours, picture.photo) for picture in pictures}) == 12
    with pytest.raises(UserError, match="1 to 5"):
        plan(PAIRS, PHOTOS[:5], 6, 0)


def test_the_key_matches_the_pixels(written: Comparison) -> None:
    pictures = written.key()["pictures"]
    assert len(pictures) == 6
    for name, entry in pictures.items():
        photo = Image.open(written.photos / entry["photo"])
        photo.thumbnail((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
        sheet = Image.open(written.out / name)
        for letter, (left, top) in zip("AB", places(*photo.size), strict=True):
            shown = sheet.crop((left, top, left + photo.width, top + photo.height))
            expected = Stylizer(Path(entry[entry[letter]]))(photo)
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(expected))


def test_the_pictures_tell_nothing(written: Comparison) -> None:
    names = [f"{number:03d}.png" for number in range(1, 7)]
    assert sorted(path.name for path in written.out.iterdir()) == [*names, VERDICTS]
    assert written.form.read_text().splitlines() == [
        "picture,preferred,why",
        *(f"{name},," for name in names),
    ]
    paths = [written.out / name for name in names]
    dates = [path.stat().st_mtime_ns for path in paths]
    assert dates == sorted(dates)
    for path in paths:
        with Image.open(path) as picture:
            assert picture.info == {}
        assert b"onnx" not in path.read_bytes()


def test_a_size_is_never_exceeded_and_nothing_is_enlarged(written: Comparison) -> None:
    for name, entry in written.key()["pictures"].items():
        width, height = SIZES[int(entry["photo"][-5])]
        scale = min(1, SIZE_PX / width)
        (left, top) = places(round(width * scale), round(height * scale))[1]
        expected = (left + round(width * scale), top + round(height * scale))
        with Image.open(written.out / name) as sheet:
            assert sheet.size == expected


def test_what_pairs_refuses(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(message: str, photos_each: int = 1) -> None:
        with pytest.raises(SystemExit) as ended:
            comparison.pairs(photos_each)
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1

    outside = comparison.key_file
    comparison.key_file = comparison.out / "key.json"
    refused("among the pictures")
    comparison.key_file = outside
    refused("1 to 3", photos_each=4)
    comparison.pairs(1)
    refused("there is a key")
    outside.unlink()
    refused("not empty")


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (None, "no verdict on 001.png"),
        ("001.png,,", "the verdict on 001.png is ''"),
        ("001.png,C,", "the verdict on 001.png is 'C'"),
        ("001.png,a,", "the verdict on 001.png is 'a'"),
        ("001.png,A", "2 columns for 001.png"),
        ("001.png,A,mud, grid", "4 columns for 001.png"),
        ("002.png,A,", "'002.png' twice"),
        ("007.png,A,", "no such picture"),
    ],
)
def test_a_bad_verdict_is_refused(
    written: Comparison, capsys: pytest.CaptureFixture[str], first: str | None, message: str
) -> None:
    others = [f"{number:03d}.png,=," for number in range(2, 7)]
    rows = ["picture,preferred,why", *others, *([first] if first else [])]
    written.form.write_text("\n".join(rows))
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        written.verdict()
    assert ended.value.code == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert message in error
    assert error.count("\n") == 1
    assert written.key()["verdicts_sha256"] == []


def test_another_first_line_is_refused(
    written: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    written.form.write_text("picture;preferred;why\n001.png;A;\n")
    with pytest.raises(SystemExit):
        written.verdict()
    assert "has to be picture,preferred,why" in capsys.readouterr().err


def test_a_key_of_other_pictures_is_refused(
    written: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (8, 8)).save(written.out / "002.png")
    with pytest.raises(SystemExit):
        written.verdict()
    assert "not the key of" in capsys.readouterr().err
    written.key_file.write_text("[]")
    with pytest.raises(SystemExit):
        written.verdict()
    assert "is not a key" in capsys.readouterr().err


def test_the_verdicts_are_counted(written: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = written.preferring("ours")
    second = [n for n, e in written.key()["pictures"].items() if e["ours"] == written.ours[1]]
    for name, preferred in zip(second, ("theirs", "theirs", "="), strict=True):
        verdicts[name] = written.preferring(preferred)[name] if preferred != "=" else "="
    written.fill_in(verdicts, why='"blotches, grid"')
    capsys.readouterr()
    written.verdict()
    assert capsys.readouterr().out.splitlines()[2:5] == [
        f"| {written.ours[0]} | {written.theirs} | 3 | 0 | 0 | 0.25 |",
        f"| {written.ours[1]} | {written.theirs} | 0 | 2 | 1 | 0.5 |",
        "| all |  | 3 | 2 | 1 | 1 |",
    ]


def test_verdicts_that_were_changed_afterwards_are_told(
    written: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    written.fill_in(written.preferring("theirs"))
    capsys.readouterr()
    written.verdict()
    written.verdict()
    assert "Not blind" not in capsys.readouterr().out
    written.fill_in(written.preferring("ours"))
    written.verdict()
    out = capsys.readouterr().out
    first, last = written.key()["verdicts_sha256"]
    assert f"sha256 of {VERDICTS}: {last}" in out
    assert out.endswith(f"before, sha256 {first}\n")


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (3, 3, 1.0), (6, 0, 2 / 64), (0, 6, 2 / 64), (9, 1, 22 / 1024), (1, 0, 1.0)],
)
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p)
