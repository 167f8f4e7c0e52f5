"""What a result has in common with its clip."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import (
    RATE,
    SIZE,
    Pixels,
    duration,
    frame_times,
    frames_of,
    gray,
    level_numbers,
    levels,
    make_clip,
    packets,
    turn,
)
from PIL import Image

from nst.infer.video.reader import VideoReader

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"])
def test_frames_times_and_sound(run: Run, tmp_path: Path, suffix: str) -> None:
    webm = suffix == ".webm"
    clip = make_clip(
        tmp_path / f"clip{suffix}",
        frames=60,
        codec="libvpx-vp9" if webm else "libx264",
        options={"crf": "4", "b": "0"} if webm else {"crf": "1", "bf": "0"},
        audio={".webm": "libopus", ".avi": "pcm_s16le"}.get(suffix, "aac"),
    )
    out = tmp_path / f"out{suffix}"
    assert run(clip, "-o", out) == 0
    # Of H.264 in AVI, where no times are told, decoders guess how late the first frame is.
    late = frame_times(clip)[0] - frame_times(out)[0] if suffix == ".avi" else 0
    assert [time + late for time in frame_times(out)] == frame_times(clip)
    assert level_numbers(levels(out)[:31]) == list(range(31))
    assert abs(duration(out) - duration(clip)) < 1 / RATE + 0.001
    assert [each[2] for each in packets(out, "audio")] == [
        each[2] for each in packets(clip, "audio")
    ]
    assert [each[0] for each in packets(out, "audio")] == [
        each[0] for each in packets(clip, "audio")
    ]


def test_default_name_and_line(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert run(clip) == 0
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["clip.mp4", "clip.same.mp4"]
    out, err = capfd.readouterr()
    assert out.startswith(f"{tmp_path / 'clip.same.mp4'}  64x48  same  10 frames  ")
    assert out.endswith(" frames/s\n")
    assert err == ""


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
def test_frame_rate(run: Run, tmp_path: Path, rate: Fraction) -> None:
    clip = make_clip(tmp_path / "clip.mp4", rate=rate)
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    assert frame_times(out) == [number / rate for number in range(10)]
    with av.open(str(out)) as container:
        assert container.streams.video[0].average_rate == rate


def test_variable_frame_rate(run: Run, tmp_path: Path) -> None:
    times = [0, 1000, 1100, 5000, 5001, 9000, 20000, 20500, 21000, 30000]
    clip = make_clip(
        tmp_path / "clip.mp4",
        times=times,
        time_base=Fraction(1, 15360),
        options={"crf": "1", "bf": "0"},
    )
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    assert frame_times(out) == [time * Fraction(1, 15360) for time in times]
    assert abs(duration(out) - duration(clip)) < 0.001


def test_the_last_frame_is_shown_as_long_as_in_the_clip(run: Run, tmp_path: Path) -> None:
    """Also where frames are decoded in another order and their rate falls towards the end."""
    times = [*range(0, 9 * 512, 512), *range(9 * 512, 9 * 512 + 6 * 4608, 4608)]
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (48, 1, 3))
    clip = make_clip(
        tmp_path / "clip.mp4",
        frames=len(times),
        times=times,
        time_base=Fraction(1, 15360),
        options={"crf": "1", "bf": "0"},
        paint=lambda number: np.roll(ramp, 3 * number, 1),
    )
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    assert last_frame(out) == last_frame(clip)
    assert abs(duration(out) - duration(clip)) < 0.001


def last_frame(path: Path) -> tuple[int | None, int | None]:
    """When it is shown, and for how long, in ticks."""
    return max((time or 0, duration) for time, duration, _ in packets(path, "video"))


def test_b_frames_and_a_late_beginning(run: Run, tmp_path: Path) -> None:
    times = list(range(3, 33))
    clip = make_clip(
        tmp_path / "clip.mkv", frames=30, times=times, options={"crf": "1", "bf": "3"}, audio="aac"
    )
    out = tmp_path / "out.mkv"
    assert run(clip, "-o", out) == 0
    assert frame_times(out) == frame_times(clip)
    assert packets(out, "audio") == packets(clip, "audio")


CORNERS = {
    (1, 0, 0, 1): [0, 1, 2, 3],
    (0, 1, -1, 0): [2, 0, 3, 1],  # a quarter turn to the right
    (-1, 0, 0, -1): [3, 2, 1, 0],
    (0, -1, 1, 0): [1, 3, 0, 2],
    (-1, 0, 0, 1): [1, 0, 3, 2],  # a mirror
}


@pytest.mark.parametrize("matrix", CORNERS)
def test_results_stand_upright(run: Run, tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    quarters = np.repeat(np.array([[40, 100], [160, 220]], np.uint8), SIZE[1] // 2, 0)
    picture = np.repeat(np.repeat(quarters, SIZE[0] // 2, 1)[..., None], 3, 2)
    clip = make_clip(tmp_path / "clip.mp4", paint=lambda number: picture, aspect=Fraction(4, 3))
    turn(clip, matrix)
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    frame = frames_of(out)[0]
    height, width = frame.shape[:2]
    swapped = matrix[0] == 0
    assert (width, height) == (SIZE[::-1] if swapped else SIZE)
    seen = [
        frame[height // 4 + y * height // 2, width // 4 + x * width // 2, 0]
        for y in (0, 1)
        for x in (0, 1)
    ]
    assert [round((int(each) - 40) / 60) for each in seen] == CORNERS[matrix]
    with av.open(str(out)) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
        assert aspect == (Fraction(3, 4) if swapped else Fraction(4, 3))
        assert next(container.decode(video=0)).rotation == 0


TAGGED = {
    "bt601": ((6, 6, 6, 1), 5, 120),
    "bt709": ((1, 1, 1, 1), 1, 120),
    "full range": ((5, 5, 6, 2), 5, 120),
    "wide gamut": ((9, 9, 14, 1), 9, 120),
    "untagged": ((2, 2, 2, 1), 5, 120),
    "untagged hd": ((2, 2, 2, 1), 1, 720),
}


@pytest.mark.parametrize("case", TAGGED)
def test_colors(run: Run, tmp_path: Path, case: str) -> None:
    """Through RGB and back, by the matrix and range of the clip."""
    tags, matrix, height = TAGGED[case]
    clip = make_clip(
        tmp_path / "clip.mp4", frames=3, paint=lambda n: rainbow(height), tags=tags, matrix=matrix
    )
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--crf", "1") == 0
    for before, after in zip(planes(clip), planes(out), strict=True):
        error = after.astype(int) - before
        assert np.abs(error).mean() < 1.0
        assert abs(error.mean()) < 0.7  # ffmpeg rounds the chroma of full range down
    with av.open(str(clip)) as source, av.open(str(out)) as result:
        first, second = (next(each.decode(video=0)) for each in (source, result))
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            assert getattr(second, name) == getattr(first, name), name


@pytest.mark.parametrize(("case", "matrix"), [("bt601", 5), ("bt709", 1), ("untagged hd", 1)])
def test_the_style_sees_the_colors_of_the_clip(tmp_path: Path, case: str, matrix: int) -> None:
    tags, _, height = TAGGED[case]
    picture = np.full((height, 64, 3), (200, 60, 30), np.uint8)
    clip = make_clip(
        tmp_path / "clip.mp4", frames=1, paint=lambda n: picture, tags=tags, matrix=matrix
    )
    with closing(VideoReader(clip)) as reader:
        frame = reader.read()
    assert frame is not None
    assert np.abs(frame.pixels.reshape(-1, 3).mean(0) - (200, 60, 30)).max() < 2


def rainbow(height: int) -> Pixels:
    """(H, 192, 3), of many colours, none of them far from its neighbours."""
    y, x = np.mgrid[0:height, 0:192].astype(np.float32)
    waves = [np.sin(x / 30), np.sin(y / height * 6), np.sin((x + y) / 40)]
    return np.stack([128 + 90 * wave for wave in waves], -1).astype(np.uint8)


def planes(path: Path) -> list[Pixels]:
    """Y, U and V of the first frame."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return [
            np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
            for plane in frame.planes
        ]


def test_metadata_chapters_and_languages(run: Run, tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        frames=50,
        audio="aac",
        title="A walk",
        comment="by the sea",
        chapters=[(0, 1000, "out"), (1000, 2000, "home")],
    )
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "A walk"
        assert container.metadata["comment"] == "by the sea"
        chapters = container.chapters()
    assert [each["metadata"]["title"] for each in chapters] == ["out", "home"]
    assert [float(each["start"] * (each["time_base"] or 0)) for each in chapters] == [0, 1]


def test_eight_channels(run: Run, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", audio="flac", layout="7.1")
    out = tmp_path / "out.mkv"
    assert run(clip, "-o", out) == 0
    assert packets(out, "audio") == packets(clip, "audio")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_range(run: Run, tmp_path: Path, suffix: str) -> None:
    """Frames and sound begin together, and what was heard with a frame still is."""
    clip = make_clip(
        tmp_path / f"clip{suffix}", frames=75, audio="aac", options={"crf": "1", "g": "20"}
    )
    out = tmp_path / f"out{suffix}"
    assert run(clip, "-o", out, "--start", "0:01", "--end", "2.2") == 0
    assert frame_times(out) == [number / RATE for number in range(30)]
    assert levels(out) == pytest.approx(levels(clip)[25:55], abs=2)
    before = {content: time for time, _, content in packets(clip, "audio")}
    after = packets(out, "audio")
    assert abs(len(after) * 1024 / 48000 - 1.2) < 2 * 1024 / 48000
    shifts = [(before[content] or 0) - (time or 0) for time, _, content in after]
    assert len(set(shifts)) == 1
    second = 1000 if suffix == ".mkv" else 48000
    assert abs(shifts[0] / second - 1) <= 0.001  # an MP4 tells its beginning in milliseconds


@pytest.mark.parametrize(("fps", "numbers"), [("12.5", [0, 2, 4, 6, 8]), ("50", [*range(10)] * 2)])
def test_another_frame_rate(run: Run, tmp_path: Path, fps: str, numbers: list[int]) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--fps", fps) == 0
    assert frame_times(out) == [number / Fraction(fps) for number in range(len(numbers))]
    assert level_numbers(levels(out)) == sorted(numbers)
    assert abs(duration(out) - duration(clip)) <= 1 / Fraction(fps)


def test_size(run: Run, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--size", "32") == 0
    assert frames_of(out)[0].shape == (24, 32, 3)


def test_treatment(run: Run, tmp_path: Path, invert_bytes: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", paint=lambda n: gray(0))
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--style", invert_bytes, "--strength", "0.5") == 0
    assert levels(out)[0] == pytest.approx(127.5, abs=2)
    argv = (clip, "-o", out, "--style", invert_bytes, "--overwrite", "--brush", "2")
    assert run(*argv) == 0
    assert levels(out)[0] == pytest.approx(215, abs=2)


def test_gif_to_video_and_back(run: Run, tmp_path: Path) -> None:
    frames = [Image.fromarray(gray(number)) for number in range(5)]
    gif = tmp_path / "clip.gif"
    frames[0].save(gif, save_all=True, append_images=frames[1:], duration=[40, 80, 100, 200, 60])
    video = tmp_path / "out.mp4"
    assert run(gif, "-o", video) == 0
    assert [float(time) for time in frame_times(video)] == [0, 0.04, 0.12, 0.22, 0.42]
    assert level_numbers(levels(video)) == list(range(5))
    assert duration(video) == pytest.approx(0.48, abs=0.011)
    back = tmp_path / "back.gif"
    assert run(video, "-o", back) == 0
    assert frame_times(back) == frame_times(video)
    assert level_numbers(levels(back)) == list(range(5))


def test_a_gif_has_at_most_50_frames_a_second(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", rate=Fraction(100), frames=20, audio="aac")
    out = tmp_path / "out.gif"
    assert run(clip, "-o", out) == 0
    assert frame_times(out) == [Fraction(number, 50) for number in range(10)]
    printed = capfd.readouterr()
    assert "  10 frames  " in printed.out
    assert "a GIF has no sound" in printed.err


def test_subtitles(run: Run, tmp_path: Path, capfd: Capture) -> None:
    lines = tmp_path / "lines.srt"
    lines.write_text("1\n00:00:00,200 --> 00:00:01,000\nhello\n\n")
    plain, clip = make_clip(tmp_path / "plain.mkv", frames=50), tmp_path / "clip.mkv"
    with (
        av.open(str(plain)) as video,
        av.open(str(lines)) as text,
        av.open(str(clip), "w") as out,
    ):
        for source in (video, text):
            copy = out.add_stream_from_template(source.streams[0], opaque=True)
            copy.metadata["language"] = "eng"
        for source, number in ((video, 0), (text, 1)):
            for packet in source.demux():
                if packet.size:
                    packet.stream = out.streams[number]
                    out.mux(packet)
    result = tmp_path / "out.mkv"
    assert run(clip, "-o", result) == 0
    assert packets(result, "subtitle") == packets(clip, "subtitle")
    assert packets(result, "subtitle")[0][2] == b"hello"
    with av.open(str(result)) as container:
        assert container.streams.subtitles[0].language == "eng"
    assert capfd.readouterr().err == ""
    assert run(clip, "-o", tmp_path / "out.mp4") == 0
    assert "its subtitles (srt) are left out, .mp4 cannot hold them" in capfd.readouterr().err
