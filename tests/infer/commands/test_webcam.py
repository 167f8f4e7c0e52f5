import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from graphs import save_negative
from live_parts import PATIENCE_S, KeyScreen, MovingPicture, read_clip

from nst.infer import UserError
from nst.infer.command_line import read_size
from nst.infer.commands.main import main
from nst.infer.commands.webcam import read_source, read_styles
from nst.infer.live import session
from nst.infer.live.capture import Capture
from nst.infer.live.paced import Paced
from nst.infer.live.painter import Painter
from nst.infer.live.recorder import Recorder
from nst.infer.live.session import Request
from nst.infer.live.style_bank import StyleBank
from nst.infer.styles import all_styles, as_named
from nst.infer.stylizer import Stylizer
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.reader import VideoReader

Captured = pytest.CaptureFixture[str]

FPS = 60
FRAMES = 12


class FakeCamera(Paced):
    """A camera that is unplugged, or ends, after some frames."""

    opened: ClassVar[list[tuple[int, object, object]]] = []
    frames: int | None = FRAMES
    unplugged = False

    def __init__(self, number: int, *, size: object = None, fps: object = None) -> None:
        super().__init__(MovingPicture((64, 48), FPS, self.frames))
        self.opened.append((number, size, fps))
        self.fps = float(FPS)
        if self.unplugged and len(self.opened) > 1:
            raise UserError("there is no camera")

    def read(self) -> TimedFrame | None:
        frame = super().read()
        if frame is None and self.unplugged:
            raise UserError("camera 0 gives no more frames: is it still plugged in?")
        return frame


class FakeWindow(KeyScreen):
    """A window on which somebody presses keys."""

    made: ClassVar[list["FakeWindow"]] = []
    keys: ClassVar[list[str]] = []

    def __init__(self, title: str) -> None:
        super().__init__(self.keys)
        self.title = title
        self.made.append(self)


@pytest.fixture
def negative(tmp_path: Path) -> Path:
    return save_negative(tmp_path / "negative.onnx")


@pytest.fixture(autouse=True)
def hardware(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A camera and a window that are not there, and an empty folder to be in."""
    monkeypatch.setattr(FakeCamera, "opened", [])
    monkeypatch.setattr(FakeWindow, "made", [])
    monkeypatch.setattr(session, "Camera", FakeCamera)
    monkeypatch.setattr(session, "Window", FakeWindow)
    monkeypatch.setattr(session, "Capture", partial(Capture, patience_s=0.6))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def webcam(*argv: object) -> int:
    return main(["webcam", *map(str, argv), "--device", "cpu"])


def record_clip(path: Path, clip: MovingPicture) -> None:
    recorder = Recorder(path)
    for frame in iter(clip.read, None):
        recorder.write(frame)
    recorder.close()


def camera_frames() -> list[Any]:
    """What the camera gives; the first ones may be dropped."""
    camera = MovingPicture((64, 48), FPS, FRAMES)
    return [frame.pixels for frame in iter(camera.read, None)]


def requested(monkeypatch: pytest.MonkeyPatch, *argv: str) -> Request:
    """What a command line asks for."""
    requests: list[Request] = []
    monkeypatch.setattr(session, "run", lambda request, on_saved: requests.append(request))
    assert main(list(argv)) == 0
    return requests[0]


def test_a_window_until_the_camera_ends(negative: Path, capfd: Captured) -> None:
    assert webcam("--style", negative) == 0
    (window,) = FakeWindow.made
    assert window.title == "nst-infer webcam"
    assert window.closed
    assert not window.full_screen
    assert 1 <= len(window.seen) <= FRAMES + 1
    assert FakeCamera.opened == [(0, None, None)]
    assert capfd.readouterr() == ("", "")
    assert list(Path.cwd().iterdir()) == []


def test_which_camera_and_how(negative: Path) -> None:
    argv = ["1", "--style", negative, "--camera-size", "1280x720", "--fps", "60", "--full-screen"]
    assert webcam(*argv) == 0
    assert FakeCamera.opened == [(1, (1280, 720), 60)]
    assert FakeWindow.made[0].full_screen


@pytest.mark.parametrize(
    ("argv", "source"),
    [
        (["webcam"], 0),
        (["webcam", "2"], 2),
        (["webcam", "webcam:3"], 3),
        (["webcam:4"], 4),
        (["webcam", "clip.mp4"], Path("clip.mp4")),
    ],
)
def test_sources(argv: list[str], source: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert requested(monkeypatch, *argv).source == source


def test_flags(monkeypatch: pytest.MonkeyPatch, negative: Path) -> None:
    plain = requested(monkeypatch, "webcam")
    assert plain == Request(0, all_styles("realtime"))
    finer = requested(monkeypatch, "webcam", "--tier", "quality")
    assert finer.styles == all_styles("quality")
    named = requested(monkeypatch, "webcam", "--tier", "quality", "--style", "great_wave")
    assert named.styles == [as_named("great_wave", "quality")]
    argv = ["--hold-fps", "30", "--strength", "0.5", "--steady", "0.7", "--threads", "2"]
    argv += ["--device", "openvino", "--range", "0-1", "--style", str(negative)]
    argv += ["--style", "starry-night", "--record", "a.mp4", "--overwrite", "--virtual-camera"]
    asked = requested(monkeypatch, "webcam", *argv, "--no-window", "--no-mirror")
    assert [style.name for style in asked.styles] == ["negative", "starry_night"]
    assert (asked.hold_fps, asked.strength, asked.steady, asked.threads) == (30, 0.5, 0.7, 2)
    assert (asked.device, asked.value_range, asked.record) == ("openvino", (0, 1), Path("a.mp4"))
    assert asked.overwrite
    assert asked.virtual_camera
    assert not asked.window
    assert asked.mirror is False
    assert requested(monkeypatch, "webcam", "--mirror").mirror is True


def test_what_is_asked_for_reaches_the_style(
    negative: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, object]] = []

    class Noting(Painter):
        def __init__(self, bank: StyleBank, **settings: Any) -> None:
            given.append(settings)
            super().__init__(bank, **settings)

    def open_style(path: Path, **settings: Any) -> Stylizer:
        given.append({"path": path, **settings})
        return Stylizer(path)

    monkeypatch.setattr(session, "Painter", Noting)
    monkeypatch.setattr(session, "Stylizer", open_style)
    argv = ["--hold-fps", "30", "--strength", "0.5", "--steady", "0.7"]
    assert webcam("--style", negative, *argv, "--threads", "2", "--range", "0-1") == 0
    style, painter = given
    assert style == {"path": negative, "value_range": (0, 1), "threads": 2, "device": "cpu"}
    assert painter == {"strength": 0.5, "hold_fps": 30, "steady": 0.7}


def test_mirror_is_for_cameras(negative: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    assert webcam("--style", negative, "--no-window", "--record", clip) == 0
    for argv, mirrored in (
        (["0"], True),
        ([clip], False),
        (["0", "--no-mirror"], False),
        ([clip, "--mirror"], True),
    ):
        request = Request(read_source(str(argv[0])), read_styles([str(negative)]))
        flags = {"--mirror": True, "--no-mirror": False}
        mirror = flags.get(str(argv[-1]))
        with ExitStack() as opened:
            asked = replace(request, mirror=mirror, device="cpu")
            loop = session.open_loop(asked, print, opened)
            assert loop._view.mirror is mirrored


def test_a_recording_without_a_window(negative: Path, capfd: Captured) -> None:
    assert webcam("--style", negative, "--no-window", "--record", "out.mp4") == 0
    assert FakeWindow.made == []
    assert capfd.readouterr() == ("out.mp4\n", "")
    frames = read_clip(Path("out.mp4"))
    assert 1 <= len(frames) <= FRAMES
    assert frames[0][0] == 0
    assert frames[-1][0] <= FRAMES / FPS + 1
    first = frames[0][1].astype(float)
    differences = [np.abs(255 - first - seen).mean() for seen in camera_frames()]
    assert min(differences) < 12  # the negative of one of them, and nothing drawn on it
    assert list(Path.cwd().iterdir()) == [Path.cwd() / "out.mp4"]


def test_a_recording_is_not_replaced(negative: Path, capfd: Captured) -> None:
    Path("out.mp4").write_bytes(b"precious")
    argv = ["--style", negative, "--no-window", "--record", "out.mp4"]
    assert webcam(*argv) == 2
    assert "it exists, pass --overwrite" in capfd.readouterr().err
    assert Path("out.mp4").read_bytes() == b"precious"
    assert FakeCamera.opened == []
    assert webcam(*argv, "--overwrite") == 0
    assert read_clip(Path("out.mp4"))


def test_a_clip_is_never_recorded_over_itself(negative: Path, capfd: Captured) -> None:
    assert webcam("--style", negative, "--no-window", "--record", "in.mp4") == 0
    before = Path("in.mp4").read_bytes()
    argv = ["--style", negative, "--no-window", "--record", "in.mp4", "--overwrite"]
    assert webcam("in.mp4", *argv) == 2
    assert "it is an input" in capfd.readouterr().err
    assert Path("in.mp4").read_bytes() == before


def test_a_clip_in_place_of_a_camera(negative: Path) -> None:
    record_clip(Path("in.mp4"), MovingPicture((64, 48), fps=11, frames=12))
    clip = read_clip(Path("in.mp4"))
    start_s = time.monotonic()
    assert webcam("in.mp4", "--style", negative, "--no-window", "--record", "back.mp4") == 0
    assert time.monotonic() - start_s > clip[-1][0] > 0.99  # played at its own pace
    picture = read_clip(Path("back.mp4"))[0][1].astype(float)
    differences = [np.abs(255 - picture - frame).mean() for _, frame in clip]
    assert min(differences) < 12  # the negative of one of them
    assert FakeCamera.opened == []


def test_a_clip_that_stands_still_is_closed_at_once(
    negative: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[VideoReader] = []

    class Noting(VideoReader):
        def close(self) -> None:
            super().close()
            closed.append(self)

    monkeypatch.setattr(session, "VideoReader", Noting)
    record_clip(Path("in.mp4"), MovingPicture((64, 48), fps=1 / (9 * PATIENCE_S), frames=2))
    request = Request(Path("in.mp4"), read_styles([str(negative)]), device="cpu")
    with ExitStack() as opened:
        capture = session.open_loop(request, print, opened)._capture
        assert capture.take(PATIENCE_S) is not None
    capture._thread.join(PATIENCE_S)
    assert closed


def test_unplugged(negative: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCamera, "unplugged", True)
    assert webcam("--style", negative, "--record", "out.mp4") == 2
    out, err = capfd.readouterr()
    assert out == "out.mp4\n"
    assert err == "nst-infer webcam: camera 0 gives no more frames: is it still plugged in?\n"
    assert read_clip(Path("out.mp4"))
    assert FakeWindow.made[0].closed


def test_a_camera_that_cannot_be_opened(
    negative: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise UserError("there is no camera: plug one in")

    monkeypatch.setattr(session, "Camera", fail)
    assert webcam("--style", negative) == 2
    assert capfd.readouterr() == ("", "nst-infer webcam: there is no camera: plug one in\n")
    assert FakeWindow.made[0].closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_a_whole_recording(
    negative: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    class Killed(FakeWindow):
        def write(self, frame: TimedFrame) -> None:
            super().write(frame)
            if len(self.seen) == 5:
                os.kill(os.getpid(), number)

    monkeypatch.setattr(FakeCamera, "frames", None)
    monkeypatch.setattr(session, "Window", Killed)
    assert webcam("--style", negative, "--record", "out.mp4") == 130
    out, err = capfd.readouterr()
    assert out == "out.mp4\n"
    assert err == "nst-infer webcam: interrupted\n"
    assert len(read_clip(Path("out.mp4"))) in (4, 5)


def test_snapshot_and_recording_by_keys(
    negative: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.setattr(FakeCamera, "frames", None)
    monkeypatch.setattr(FakeWindow, "keys", ["s", "r", "", "", "q"])
    assert webcam("--style", negative) == 0
    names = capfd.readouterr().out.split()
    assert [Path(name).suffix for name in names] == [".png", ".mp4"]
    assert sorted(names) == sorted(path.name for path in Path.cwd().iterdir())
    assert all(name.startswith("negative-") for name in names)


def test_virtual_camera(negative: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured) -> None:
    sent: list[Any] = []
    rates: list[float] = []

    class Device:
        def __init__(self, width: int, height: int, fps: float) -> None:
            rates.append(fps)

        def send(self, pixels: Any) -> None:
            sent.append(pixels.copy())

        def close(self) -> None:
            rates.append(0)

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=Device))
    assert webcam("--style", negative, "--virtual-camera") == 0
    (window,) = FakeWindow.made
    assert len(sent) >= 1
    assert rates == [FPS, 0]
    # No text, and no mirror.
    frames = [frame.pixels for frame in window.seen]
    assert len(frames) >= len(sent)
    assert any((sent[0] == 255 - seen).all() for seen in camera_frames())
    assert (frames[0] != sent[0]).any()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert webcam("--style", negative, "--virtual-camera", "--no-window") == 2
    assert "pip install pyvirtualcam" in capfd.readouterr().err


def test_styles_are_opened_for_the_window_alone(
    negative: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers: list[int] = []

    class Counting(StyleBank):
        def __init__(self, styles: Any, open_style: Callable[..., Any]) -> None:
            numbers.append(len(styles))
            super().__init__(styles, open_style)

    monkeypatch.setattr(session, "StyleBank", Counting)
    two = ["--style", str(negative), "--style", str(negative)]
    assert webcam(*two) == 0
    assert webcam(*two, "--no-window", "--record", "out.mp4") == 0
    assert numbers == [2, 1]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["--camera-size", "720p"],
            "--camera-size takes width x height such as 1280x720, not 720p",
        ),
        (["--no-window"], "--no-window shows nothing: add --record FILE or --virtual-camera"),
        (["--no-window", "--full-screen", "--record", "a.mp4"], "contradict each other"),
        (["missing.mp4"], "cannot read missing.mp4: there is no such file"),
        (["clip.mp4", "--fps", "30"], "--camera-size and --fps are for cameras, not for files"),
        (["clip.mp4", "--camera-size", "8x8"], "are for cameras, not for files"),
        (["clip.mp4"], "cannot read clip.mp4"),
        (["--style", "nowhere"], "there is no style nowhere"),
        (["--style", "nowhere.onnx"], "nowhere.onnx"),
        (["--record", "out.png"], "cannot write out.png"),
        (["--record", "no/out.mp4"], "the folder no does not exist"),
        (["--hold-fps", "0"], "--hold-fps"),
        (["--steady", "2"], "--steady"),
        (["--strength", "-1"], "--strength"),
        (["--device", "gpu"], "unknown device gpu"),
    ],
)
def test_mistakes(argv: list[str], message: str, negative: Path, capfd: Captured) -> None:
    Path("clip.mp4").write_bytes(b"no video")
    style = [] if "--style" in argv else ["--style", str(negative)]
    device = [] if "--device" in argv else ["--device", "cpu"]
    assert main(["webcam", *argv, *style, *device]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("nst-infer webcam: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "0x5", "5x", "1280X720", "1e3x5", "-1x5", "123456x5"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UserError, match="--camera-size takes width x height"):
        read_size("--camera-size", text)


def test_opencv_is_missing(
    negative: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from nst.infer.commands.main import main; sys.exit(main(['webcam']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert (
        run.stderr == "nst-infer webcam: cv2 is not installed: pip install 'nst[video]' brings it\n"
    )


def test_help_lists_the_command_and_loads_nothing_heavy(capfd: Captured) -> None:
    code = (
        "import sys; from nst.infer.commands.main import main; main(['webcam', '--help'])\n"
        "print(*sorted(set(sys.modules) & {'av', 'cv2', 'numpy', 'onnxruntime', 'PIL'}), 'end')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "end"
    assert "--hold-fps" in run.stdout
