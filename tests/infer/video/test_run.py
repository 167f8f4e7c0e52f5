"""Several videos, styles and photos in one command."""

import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from clips import frame_times, levels, make_clip
from closed import close_folder
from PIL import Image

from nst.infer.commands.main import main
from nst.infer.engine.frames import Frame
from nst.infer.jobs.inputs import VIDEO_SUFFIXES
from nst.infer.video.clip import ClipOutcome, finished_or_partial, share_of
from nst.infer.video.formats import FORMS, GIF
from nst.infer.video.reader import VideoReader
from nst.infer.video.report import VideoReport, open_bar

Run = Callable[..., int]
Refused = Callable[..., str]
Capture = pytest.CaptureFixture[str]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_what_is_taken_for_a_video_can_be_written() -> None:
    assert {*FORMS} - {GIF} == VIDEO_SUFFIXES


def test_several_clips_and_styles(
    identity: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture
) -> None:
    clips = [str(make_clip(tmp_path / f"{name}.mp4")) for name in "ab"]
    styles = ["--style", str(identity), "--style", str(invert_bytes), "--device", "cpu"]
    assert main([*clips, *styles]) == 0
    made = ["a.invert.mp4", "a.same.mp4", "b.invert.mp4", "b.same.mp4"]
    assert names(tmp_path) == sorted(["a.mp4", "b.mp4", *made])
    assert levels(tmp_path / "a.invert.mp4")[0] == pytest.approx(255 - 40, abs=2)
    out, err = capfd.readouterr()
    assert out.count("\n") == 4
    assert err.endswith("4 done, 0 skipped, 0 failed\n")
    assert main([str(tmp_path / "*.mp4"), *styles]) == 0
    assert names(tmp_path) == sorted(["a.mp4", "b.mp4", *made])
    err = capfd.readouterr().err
    assert "left out as results of an earlier run: 4 videos" in err
    assert "0 done, 4 skipped (there already, --overwrite makes them again), 0 failed" in err


def test_a_folder_of_results(run: Run, tmp_path: Path) -> None:
    clips = [make_clip(tmp_path / f"{name}.mp4") for name in "ab"]
    assert run(*clips, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["a.mp4", "b.mp4"]
    assert run(clips[0], "-o", f"{tmp_path}/deep/er/") == 0
    assert names(tmp_path / "deep/er") == ["a.mp4"]


def test_one_file_for_several(refused: Refused, tmp_path: Path) -> None:
    clips = [make_clip(tmp_path / f"{name}.mp4") for name in "ab"]
    assert "is one file for 2 results" in refused(*clips, "-o", tmp_path / "out.mp4")


@pytest.mark.parametrize("out", ["a" * 300 + ".mp4", "closed/out.mp4"])
def test_results_where_nothing_can_be_seen(
    out: str, refused: Refused, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(photo.with_name("clip.mp4"))
    monkeypatch.chdir(photo.parent)
    close_folder(monkeypatch, photo.with_name("closed"))
    reason = "Permission denied" if "closed" in out else "File name too long"
    assert reason in refused(clip, "-o", out)
    assert "is one file for pictures and videos" in refused(photo, clip, "-o", out)
    assert "is one file for 2 results" in refused(clip, photo.with_name("b.mp4"), "-o", out)


def test_two_results_of_one_name(refused: Refused, tmp_path: Path) -> None:
    clips = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        clips.append(make_clip(tmp_path / name / "clip.mp4"))
    assert "two results would be" in refused(*clips, "-o", tmp_path / "out")


def test_some_fail(run: Run, tmp_path: Path, capfd: Capture) -> None:
    good, bad = make_clip(tmp_path / "good.mp4"), tmp_path / "bad.mp4"
    bad.write_text("no video")
    assert run(bad, good) == 1
    assert (tmp_path / "good.same.mp4").exists()
    err = capfd.readouterr().err
    assert f"cannot read {bad}: it is no video" in err
    assert "1 done, 0 skipped, 1 failed" in err


def test_photos_and_videos(run: Run, photo: Path, capfd: Capture) -> None:
    clip = make_clip(photo.with_name("clip.mp4"))
    assert run(photo, clip, "--crf", "30", "--quality", "90") == 0
    assert names(photo.parent) == ["clip.mp4", "clip.same.mp4", "photo.png", "photo.same.png"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("flag", "text"), [("--fps", "many"), ("--start", "soon"), ("--codec", "nosuch")]
)
def test_flags_of_videos_are_read_before_photos_are_stylized(
    refused: Refused, photo: Path, flag: str, text: str
) -> None:
    clip = make_clip(photo.with_name("clip.mp4"))
    assert flag in refused(photo, clip, flag, text)
    assert names(photo.parent) == ["clip.mp4", "photo.png"]


def test_one_file_for_a_photo_and_a_video(refused: Refused, photo: Path) -> None:
    clip = make_clip(photo.with_name("clip.mp4"))
    out = photo.with_name("out.mp4")
    assert "is one file for pictures and videos" in refused(photo, clip, "-o", out)


def test_videos_in_folders_are_left_out(run: Run, photo: Path, capfd: Capture) -> None:
    for name in ("a.mp4", "b.mkv"):
        make_clip(photo.with_name(name))
    assert run(photo.parent) == 0
    assert names(photo.parent) == ["a.mp4", "b.mkv", "photo.png", "photo.same.png"]
    assert "2 videos in folders are left out: name them" in capfd.readouterr().err


def test_a_folder_of_videos(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    make_clip(tmp_path / "clips/a.mp4")
    error = refused(tmp_path / "clips")
    assert "there is no picture in it, videos have to be named" in error


def test_a_photo_that_fails_does_not_stop_the_videos(
    run: Run, tmp_path: Path, capfd: Capture
) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert run(tmp_path / "missing.jpg", clip) == 1
    assert "missing.jpg: there is no such file" in capfd.readouterr().err
    assert (tmp_path / "clip.same.mp4").exists()


def test_a_video_does_not_go_to_the_standard_output(refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert "--out - is for pictures" in refused(clip, "-o", "-")


def test_json(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", pix_fmt="yuv420p10le")
    assert run(clip, tmp_path / "missing.mp4", "--json", "--quiet") == 1
    first, second = map(json.loads, capfd.readouterr().out.splitlines())
    assert first["input"] == str(clip)
    assert first["output"] == str(tmp_path / "clip.same.mp4")
    assert first["style"] == "same"
    assert (first["size"], first["frames"], first["device"]) == ([64, 48], 10, "cpu")
    assert first["fps"] == pytest.approx(10 / first["seconds"], rel=0.1)
    assert first["lost_frames"] == 0
    assert "10 bits" in first["notices"][0]
    assert first["error"] is None
    assert second["frames"] is None
    assert "there is no such file" in second["error"]
    assert first.keys() == second.keys()


def test_quiet(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", pix_fmt="yuv420p10le")
    assert run(clip, "--quiet") == 0
    assert capfd.readouterr() == ("", "")


def test_a_bar_on_a_terminal(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    for flags in ((), ("--quiet",)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert run(clip, "--overwrite", *flags) == 0
        assert ("30 frames" in terminal.getvalue()) == (not flags)


def test_each_clip_has_its_own_bar(tmp_path: Path) -> None:
    """Whatever number of frames there is when it is first shown."""
    report = VideoReport(device="cpu", as_json=False, quiet=False, verbose=False)
    report._bar = bar = open_bar()
    for name in "ab":
        outcome = ClipOutcome(tmp_path / name, tmp_path / "out", "same")
        for frames in (2, 4):
            outcome.frames = frames
            report.progress(outcome, frames / 10)
            assert [task.description for task in bar.tasks] == [name]


def test_the_share_of_a_clip_that_begins_late(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=20, times=range(500, 520))
    with closing(VideoReader(clip)) as reader:
        frame = reader.read()
        assert frame is not None
        share = share_of(frame, reader)
    assert share is not None
    assert share < 0.1


def test_interrupted_once_it_has_its_name(tmp_path: Path, capfd: Capture) -> None:
    outcome = ClipOutcome(tmp_path / "clip", tmp_path / "out.mp4", "same", frames=3)

    def work() -> None:
        with finished_or_partial(outcome, outcome.target):
            pass
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    VideoReport(device="cpu", as_json=False, quiet=False, verbose=False).interrupted(outcome)
    assert capfd.readouterr().err == ""


def test_steady_gets_the_frames_in_order(
    run: Run, tmp_path: Path, invert_bytes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[float, float]] = []

    class Steadier:
        def __init__(self, amount: float) -> None:
            assert amount == 0.5

        def __call__(self, seen: Frame, stylized: Frame) -> Frame:
            assert seen.shape == stylized.shape == (24, 32, 3)
            calls.append((float(seen.mean()), float(stylized.mean())))
            return np.full_like(stylized, 99)

    module = type(sys)("nst.infer.steady")
    module.__dict__["Steadier"] = Steadier
    monkeypatch.setitem(sys.modules, "nst.infer.steady", module)
    clip = make_clip(tmp_path / "clip.mp4", frames=20)
    out = tmp_path / "out.mp4"
    argv = (clip, "-o", out, "--style", invert_bytes, "--steady", "0.5", "--size", "32")
    assert run(*argv, "--threads", "3") == 0
    assert [call[0] for call in calls] == pytest.approx([40 + 5 * n for n in range(20)], abs=2)
    assert [sum(call) for call in calls] == pytest.approx([255] * 20)
    assert levels(out) == pytest.approx([99] * 20, abs=2)


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "ffv1"])
def test_codecs(run: Run, tmp_path: Path, codec: str, capfd: Capture) -> None:
    picture = np.full((96, 128, 3), 120, np.uint8)
    clip = make_clip(tmp_path / "clip.mp4", paint=lambda n: picture)
    out = tmp_path / "out.mkv"
    assert run(clip, "-o", out, "--codec", codec) == 0
    assert levels(out) == pytest.approx([120] * 10, abs=2)
    assert len(frame_times(out)) == 10
    assert capfd.readouterr().err == ""


def test_a_mask(run: Run, tmp_path: Path, invert_bytes: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    mask = tmp_path / "mask.png"
    Image.new("L", (64, 48), "black").save(mask)
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--mask", mask, "--style", invert_bytes) == 0
    assert levels(out) == pytest.approx(levels(clip), abs=2)
