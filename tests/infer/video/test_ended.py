"""What is there when the program is ended in the middle."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from clips import frame_times, gray, levels, make_clip, packets
from onnx import TensorProto, helper

from nst.infer import ModelMetadata
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import VideoWriter

SaveGraph = Callable[..., Path]
Run = Callable[..., int]
Start = Callable[..., subprocess.Popen[str]]

FRAMES = 2000


@pytest.fixture
def slow(save_graph: SaveGraph, metadata: ModelMetadata) -> Path:
    """A style that takes several milliseconds for a frame and changes nothing."""
    shape = ("n", "h", "w", 3)
    count = 40
    nodes = [helper.make_node("Cast", ["x"], ["f0"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("Sin", [f"f{n}"], [f"f{n + 1}"]) for n in range(count)]
    nodes += [
        helper.make_node("Cast", [f"f{count}"], ["b"], to=TensorProto.UINT8),
        helper.make_node("BitwiseOr", ["x", "b"], ["y"]),
    ]
    return save_graph(
        "slow.onnx",
        nodes,
        elem_type=TensorProto.UINT8,
        inputs=[("x", shape)],
        outputs=[("y", shape)],
        props=metadata.to_props(),
    )


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = {"preset": "ultrafast"}
    path = tmp_path_factory.mktemp("long") / "clip.mp4"
    return make_clip(path, frames=FRAMES, audio="aac", options=options)


def wait_for(path: Path, size: int) -> None:
    """Until a file has at least so many bytes."""
    end = time.monotonic() + 60
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_killed(long_clip: Path, slow: Path, start: Start, tmp_path: Path, suffix: str) -> None:
    """A player reads what was written before, sound too."""
    out = tmp_path / f"out{suffix}"
    process = start(long_clip, "-o", out, style=slow)
    partial = tmp_path / f"out.partial{suffix}"
    wait_for(partial, 60_000)
    process.kill()
    process.communicate()
    assert not out.exists()
    count = len(frame_times(partial))
    assert 50 <= count < FRAMES
    assert levels(partial)[:20] == pytest.approx(levels(long_clip)[:20], abs=2)
    with av.open(str(partial)) as container:
        assert next(container.decode(audio=0)).samples


@pytest.mark.parametrize(("suffix", "audio"), [(".mp4", "aac"), (".mov", "aac"), (".mp4", "ac3")])
def test_late_sound(run: Run, tmp_path: Path, suffix: str, audio: str) -> None:
    clip = make_clip(tmp_path / f"clip{suffix}", frames=200, audio=audio, audio_at_s=5)
    out = tmp_path / f"out{suffix}"
    assert run(clip, "-o", out) == 0
    assert frame_times(out) == frame_times(clip)
    assert packets(out, "audio") == packets(clip, "audio")


def test_frames_do_not_wait_for_late_sound(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in the file, and a player finds them, before it begins."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 64, 3), np.uint8)
    clip = make_clip(
        tmp_path / "clip.mp4", frames=450, paint=lambda n: noise[n % 32], audio="aac", audio_at_s=17
    )
    found: list[int] = []
    write = VideoWriter.write

    def write_and_look(writer: VideoWriter, frame: TimedFrame) -> None:
        write(writer, frame)
        if writer.frames == 400:
            found.append(len(packets(tmp_path / "out.partial.mp4", "video")))

    monkeypatch.setattr(VideoWriter, "write", write_and_look)
    assert run(clip, "-o", tmp_path / "out.mp4") == 0
    assert len(found) == 1
    assert found[0] > 100


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(
    long_clip: Path, slow: Path, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out.mp4"
    process = start(long_clip, "-o", out, style=slow)
    partial = tmp_path / "out.partial.mp4"
    wait_for(partial, 30_000)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == ""
    first, last = stderr.splitlines()
    assert last == "nst-infer: interrupted"
    assert not out.exists()
    count = len(frame_times(partial))
    assert first == f"nst-infer: what was done, {count} frames, is in {partial}"


def test_memory_does_not_grow(tmp_path: Path, identity: Path) -> None:
    """With the length of the clip."""
    picture = np.zeros((360, 640, 3), np.uint8) + gray(3)[0, 0]

    def peak_kb(frames: int) -> int:
        clip = make_clip(
            tmp_path / f"{frames}.mp4",
            frames=frames,
            paint=lambda n: picture,
            options={"preset": "ultrafast", "crf": "30"},
            audio="aac",
        )
        code = (
            "import resource, sys; from nst.infer.commands.main import main\n"
            "assert main(sys.argv[1:]) == 0\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        argv = [str(clip), "--style", str(identity), "--device", "cpu"]
        run = subprocess.run(
            [sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True
        )
        return int(run.stdout.splitlines()[-1])

    assert peak_kb(600) < peak_kb(100) + 40_000  # 500 frames have 345 MB
