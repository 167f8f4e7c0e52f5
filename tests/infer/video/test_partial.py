"""Files of results that are not complete."""

from collections.abc import Callable
from pathlib import Path

import pytest
from clips import frame_times, make_clip

from nst.infer.video.partial import make_partial, partial_path

Run = Callable[..., int]
Refused = Callable[..., str]
Capture = pytest.CaptureFixture[str]


def test_names(tmp_path: Path) -> None:
    assert partial_path(tmp_path / "out.mp4") == tmp_path / "out.partial.mp4"
    made = [make_partial(tmp_path / "out.mp4").name for _ in range(3)]
    assert made == ["out.partial.mp4", "out.partial-2.mp4", "out.partial-3.mp4"]
    (tmp_path / "link.partial.mp4").symlink_to("nowhere")
    assert partial_path(tmp_path / "link.mp4").name == "link.partial-2.mp4"


@pytest.mark.parametrize("letter", ["n", "é", "猫"])
def test_long_names(run: Run, tmp_path: Path, letter: str) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    out = tmp_path / f"{letter * (245 // len(letter.encode()))}.mp4"
    assert run(clip, "-o", out) == 0
    assert len(frame_times(out)) == 10
    assert not list(tmp_path.glob("*partial*"))


def test_what_an_earlier_run_left_is_kept(run: Run, refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    out, earlier = tmp_path / "out.mp4", tmp_path / "out.partial.mp4"
    earlier.write_text("much work")
    refused(clip, "-o", out, "--codec", "mpeg4", "--crf", "20")
    assert run(clip, "-o", out) == 0
    assert len(frame_times(out)) == 10
    assert earlier.read_text() == "much work"
    assert [path.name for path in tmp_path.glob("*partial*")] == ["out.partial.mp4"]


def test_a_clip_that_is_called_so(run: Run, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "out.partial.mp4")
    before = clip.read_bytes()
    assert run(clip, "-o", tmp_path / "out.mp4") == 0
    assert clip.read_bytes() == before


def test_what_an_earlier_run_left_is_no_clip(run: Run, tmp_path: Path, capfd: Capture) -> None:
    make_clip(tmp_path / "a.mp4")
    for name in ("a.same.partial.mp4", "a.same.partial-2.mp4"):
        make_clip(tmp_path / name, frames=5)
    other = make_clip(tmp_path / "b.partial.mp4")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.mp4")}
    assert run(tmp_path / "*.mp4") == 0
    after = {path.name: path.read_bytes() for path in tmp_path.glob("*.mp4")}
    assert after.keys() - before.keys() == {"a.same.mp4", f"{other.stem}.same.mp4"}
    assert {name: after[name] for name in before} == before
    assert "left out as results of an earlier run: 2 videos" in capfd.readouterr().err
