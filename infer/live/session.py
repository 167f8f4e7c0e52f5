"""What ``nst-infer webcam`` does once its flags are read."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst.infer.engine.devices import resolve_device
from nst.infer.engine.metadata import ValueRange
from nst.infer.errors import UserError
from nst.infer.files import refuse_existing, refuse_inputs, require_file
from nst.infer.live.camera import Camera, Size
from nst.infer.live.capture import Capture
from nst.infer.live.loop import LiveLoop
from nst.infer.live.paced import Paced
from nst.infer.live.painter import Painter
from nst.infer.live.style_bank import StyleBank
from nst.infer.live.view import View
from nst.infer.live.virtual_camera import USUAL_FPS, VirtualCamera
from nst.infer.live.window import Window
from nst.infer.styles import NamedStyle
from nst.infer.stylizer import Stylizer
from nst.infer.video.protocol import FrameSink, FrameSource
from nst.infer.video.reader import VideoReader

TITLE = "nst-infer webcam"


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        source: the number of a camera, or a clip that is played as if it came from one.
        styles: at least one; the first is shown first.
        camera_size: width and height to ask of the camera, None as it is.
        fps: frames per second to ask of the camera, None as it is.
        hold_fps: frames per second to hold with a smaller picture; None never makes it smaller.
        strength: of the style, 0 to 1.
        steady: how much frames are averaged over time, 0 to 1.
        mirror: whether the window is a mirror; None for cameras alone.
        window: whether there is one.
        full_screen: whether it fills the screen.
        virtual_camera: whether frames go to one.
        record: a file for all frames, None is none.
        overwrite: whether that file may be replaced.
        value_range: of float models without metadata; None measures it.
        threads: per operator; None leaves it to onnxruntime.
        device: one of ``nst.infer.engine.devices.DEVICES``, or ``auto``.
    """

    source: int | Path
    styles: Sequence[NamedStyle]
    camera_size: Size | None = None
    fps: float | None = None
    hold_fps: float | None = None
    strength: float = 1.0
    steady: float = 0.0
    mirror: bool | None = None
    window: bool = True
    full_screen: bool = False
    virtual_camera: bool = False
    record: Path | None = None
    overwrite: bool = False
    value_range: ValueRange | None = None
    threads: int | None = None
    device: str = "auto"


def run(request: Request, on_saved: Callable[[Path], None]) -> None:
    """Show frames until they end or somebody quits.

    Args:
        request: what the user asked for.
        on_saved: is told of each file once it is written.
    Raises:
        UserError: if there is no camera or display, something cannot be used, or it fails later.
    """
    check(request)
    with ExitStack() as opened:
        open_loop(request, on_saved, opened).run()


def check(request: Request) -> None:
    """Find out before anything is opened whether the request can be met.

    Raises:
        UserError: if it cannot.
    """
    if not (request.window or request.virtual_camera or request.record):
        raise UserError("--no-window shows nothing: add --record FILE or --virtual-camera")
    if not request.window and request.full_screen:
        raise UserError("--no-window and --full-screen contradict each other")
    if isinstance(request.source, Path):
        if request.camera_size or request.fps:
            raise UserError("--camera-size and --fps are for cameras, not for files")
        require_file(request.source)
    if request.record is not None:
        refuse_inputs(request.record, [*_files(request)])
        refuse_existing(request.record, overwrite=request.overwrite)


def _files(request: Request) -> Iterator[Path]:
    if isinstance(request.source, Path):
        yield request.source
    yield from (style.path for style in request.styles)


def open_loop(request: Request, on_saved: Callable[[Path], None], opened: ExitStack) -> LiveLoop:
    """Open everything that the loop needs.

    Args:
        request: what the user asked for.
        on_saved: is told of each file once it is written.
        opened: closes it all.
    """
    device = resolve_device(request.device).device
    window = open_window(request, opened) if request.window else None
    bank = StyleBank(
        # Without a window there are no keys to change the style with.
        request.styles if window else request.styles[:1],
        partial(Stylizer, value_range=request.value_range, threads=request.threads, device=device),
    )
    opened.callback(bank.close)
    closing = threading.Event()
    source, reopen, fps = open_source(request, closing)
    capture = Capture(source, reopen=reopen, closing=closing)
    opened.callback(capture.close)
    sinks: list[FrameSink] = []
    if request.virtual_camera:
        sinks.append(VirtualCamera(fps or USUAL_FPS))
        opened.callback(sinks[-1].close)
    mirror = request.mirror if request.mirror is not None else isinstance(request.source, int)
    return LiveLoop(
        capture,
        Painter(
            bank,
            strength=request.strength,
            hold_fps=request.hold_fps,
            steady=request.steady,
        ),
        device=device,
        screen=window,
        view=View(mirror=mirror),
        sinks=sinks,
        record=request.record,
        on_saved=on_saved,
    )


def open_window(request: Request, opened: ExitStack) -> Window:
    """The window, filling the screen if that is wanted."""
    window = Window(TITLE)
    opened.callback(window.close)
    if request.full_screen:
        window.toggle_full_screen()
    return window


def open_source(
    request: Request, closing: threading.Event
) -> tuple[FrameSource, Callable[[], FrameSource] | None, float]:
    """What frames come from, how it is opened again, and its frames per second, 0 if unknown.

    Args:
        request: what the user asked for.
        closing: is set when it is about to be closed.
    """
    if isinstance(request.source, Path):
        return Paced(VideoReader(request.source), sleep=closing.wait), None, 0.0
    reopen = partial(Camera, request.source, size=request.camera_size, fps=request.fps)
    camera = reopen()
    return camera, reopen, camera.fps
