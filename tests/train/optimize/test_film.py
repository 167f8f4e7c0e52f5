from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.infer.errors import UserError
from nst.train.optimize.film import Film, film_strip, strip_choice, write_video


def plain(level: int, size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, (level, level, level))


@pytest.mark.parametrize("count", [1, 2, 6, 7, 16, 100, 1000])
def test_the_strip_shows_the_first_and_the_last_and_rises(count: int) -> None:
    chosen = strip_choice(count)
    assert chosen[0] == 0
    assert chosen[-1] == count - 1
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, 6)


def test_early_snapshots_are_shown_more_densely() -> None:
    chosen = strip_choice(100)
    gaps = np.diff(chosen)
    assert list(gaps) == sorted(gaps)
    assert gaps[0] < gaps[-1] / 4


def test_snapshots_are_written_when_due(tmp_path: Path) -> None:
    film = Film(tmp_path / "steps", every=20)
    assert [step for step in range(1, 62) if film.is_due(step)] == [1, 20, 40, 60]
    film.add(20, plain(10))
    film.add(20, plain(20))
    assert [s.path.name for s in film.snapshots] == ["step_00020.png"]
    with Image.open(film.snapshots[0].path) as first:
        assert first.getpixel((0, 0)) == (10, 10, 10)


def test_snapshots_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    Film(tmp_path, every=5).add(5, plain(10))
    (tmp_path / "mine.png").write_bytes(b"")
    Film(tmp_path, every=5).add(1, plain(20))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.png", "step_00001.png"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "steps").write_text("")
    with pytest.raises(UserError, match="a file has that name"):
        Film(tmp_path / "steps", every=5).add(1, plain(20))


def test_the_strip_stands_in_order(tmp_path: Path) -> None:
    film = Film(tmp_path, every=1)
    for step in (1, 2, 3):
        film.add(step, plain(step * 50, (30 * step, 20 * step)))
    strip = film_strip(film.snapshots)
    levels = [strip.getpixel((left, 5))[0] for left in (10, 110, 200)]  # type: ignore[index]
    assert levels == [50, 100, 150]


def test_a_video_holds_every_snapshot_and_stays_on_the_last(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="the extra [video] is not installed")
    film = Film(tmp_path, every=1)
    for step in (1, 2, 3):
        film.add(step, plain(step * 60, (31, 21) if step < 3 else (61, 41)))
    write_video(film.snapshots, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 2 + 16
    assert frames[0].shape == (42, 62, 3)
    for frame, level in zip((*frames[:3], frames[-1]), (60, 120, 180, 180), strict=True):
        assert frame.mean() == pytest.approx(level, abs=4)
