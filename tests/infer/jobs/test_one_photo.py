from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from nst.infer import UserError
from nst.infer.engine.tiling.tiles import WHOLE, Tiling
from nst.infer.jobs import one_photo
from nst.infer.jobs.batch import Gate, Halt, Halted
from nst.infer.jobs.one_photo import Outcome, Painted, Seconds, Studio, Style
from nst.infer.jobs.outputs import Job
from nst.infer.pictures.photo import Photo, read_photo


def negative(image: Image.Image) -> Painted:
    return Painted(ImageOps.invert(image.convert("RGB")), Tiling(3, 0.5))


def studio(*styles: Style, capacity: int = 10**6, halt: Halt | None = None) -> Studio:
    return Studio(lambda _: styles or [Style("negative", negative)], Gate(capacity), halt or Halt())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is decoded."""
    sources: list[object] = []

    def spy(source: Path, *, max_pixels: int) -> Photo:
        sources.append(source)
        return read_photo(source, max_pixels=max_pixels)

    monkeypatch.setattr(one_photo, "read_photo", spy)
    return sources


def test_a_photo_is_decoded_once_for_all_styles(
    source: Path, tmp_path: Path, decoded: list[object]
) -> None:
    styles = [Style("negative", negative), Style("same", Painted)]
    job = Job(source, (tmp_path / "deep" / "n.png", tmp_path / "s.png"))
    first, second = studio(*styles).results(job)
    assert decoded == [source]
    assert (first.style, first.size, first.tiling, first.error) == (
        *("negative", (40, 30), (3, 0.5), None),
    )
    assert (second.style, second.size, second.tiling) == ("same", (40, 30), WHOLE)
    assert first.seconds.read > 0 == second.seconds.read
    np.testing.assert_array_equal(np.asarray(Image.open(first.target))[0, 0], [0, 255, 255])
    np.testing.assert_array_equal(np.asarray(Image.open(second.target))[0, 0], [255, 0, 0])


def test_a_photo_whose_results_are_there_is_not_decoded(
    source: Path, tmp_path: Path, decoded: list[object]
) -> None:
    job = Job(source, (tmp_path / "n.png",))
    assert [outcome.skipped for outcome in studio().results(job)] == [False]
    assert [outcome.skipped for outcome in studio().results(job)] == [True]
    assert decoded == [source]


def test_a_failure_is_that_of_one_style(source: Path, tmp_path: Path) -> None:
    def broken(image: Image.Image) -> Painted:
        raise UserError("no")

    styles = [Style("broken", broken), Style("negative", negative)]
    job = Job(source, (tmp_path / "b.png", tmp_path / "n.png"))
    first, second = studio(*styles).results(job)
    assert (str(first.error), first.size) == ("no", None)
    assert second.error is None
    assert not first.target.exists()


@pytest.mark.parametrize(("capacity", "alone"), [(1200, True), (100, True), (1201, False)])
def test_a_photo_that_is_alone_gets_all_cores(
    source: Path, tmp_path: Path, capacity: int, alone: bool
) -> None:
    asked = []

    def styles(alone: bool) -> list[Style]:
        asked.append(alone)
        return [Style("negative", negative)]

    list(Studio(styles, Gate(capacity), Halt()).results(Job(source, (tmp_path / "n.png",))))
    assert asked[-1] == alone


@pytest.mark.parametrize("when", ["before", "while it is stylized"])
def test_a_halt_leaves_nothing(source: Path, tmp_path: Path, when: str) -> None:
    halt = Halt()

    def stylize(image: Image.Image) -> Painted:
        assert when != "before"
        halt.ask()
        return Painted(image)

    if when == "before":
        halt.ask()
    results = studio(Style("any", stylize), halt=halt).results(Job(source, (tmp_path / "n.png",)))
    with pytest.raises(Halted):
        list(results)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_bug_in_a_style_keeps_its_name(source: Path, tmp_path: Path) -> None:
    def broken(image: Image.Image) -> Painted:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        list(studio(Style("broken", broken)).results(Job(source, (tmp_path / "n.png",))))


def test_what_is_lost_is_told(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 20), 30000, np.uint16)).save(tmp_path / "deep.tif")
    pages = [Image.new("RGB", (20, 20))] * 2
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    Image.new("RGBA", (20, 20)).save(tmp_path / "clear.png")
    Image.new("RGB", (20, 20)).save(tmp_path / "profile.jpg", icc_profile=b"nonsense")
    told: list[str] = []
    negative = Style("negative", lambda image: Painted(image, WHOLE))
    for name in ("deep.tif", "pages.tif", "clear.png", "profile.jpg"):
        job = Job(tmp_path / name, (tmp_path / f"out.{name.replace('png', 'jpg')}",))
        told += next(studio(negative).results(job)).notices
    assert told == [
        f"{tmp_path / 'deep.tif'} has more than 8 bits per channel, the result has 8",
        f"{tmp_path / 'pages.tif'} holds 2 pictures, the result is of the first",
        f"{tmp_path / 'clear.png'} is transparent, JPEG is not: the result is laid on white",
        f"{tmp_path / 'profile.jpg'} has a damaged colour profile, which is left out",
    ]


def test_an_animation_is_an_outcome_like_others(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "lime")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=90)
    (outcome,) = studio().results(Job(tmp_path / "a.gif", (tmp_path / "b.gif",)))
    assert (outcome.size, outcome.tiling, outcome.notices) == ((20, 20), (3, 0.5), [])
    assert min(outcome.seconds.network, outcome.seconds.write) > 0
    with Image.open(tmp_path / "b.gif") as result:
        assert getattr(result, "n_frames", 1) == 2


def test_seconds_add_up() -> None:
    seconds = Seconds(read=1.0)
    with seconds.spent_on("network"):
        pass
    assert seconds.total == pytest.approx(1.0 + seconds.network)
    assert Outcome(Path("a"), Path("b"), "c").seconds.total == 0.0
