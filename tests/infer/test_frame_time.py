from pathlib import Path
from typing import Any

import pytest
from graphs import save_negative

from nst.infer import Stylizer
from nst.infer.frame_time import WARM_UP_RUNS, FrameTime, frame_time


def test_frames_are_timed(tmp_path: Path) -> None:
    stylizer = Stylizer(save_negative(tmp_path / "negative.onnx"))
    small, large = (frame_time(stylizer, size, runs=5) for size in ((16, 16), (1280, 720)))
    assert 0 < small.ms < large.ms


def test_the_first_frame_is_told_and_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    class SlowToBegin(Stylizer):
        def __call__(self, picture: Any, *, strength: float = 1.0) -> Any:
            shapes.append(picture.shape)
            clock.append(clock[-1] + (0.5 if len(shapes) == 1 else 0.002))
            return picture

    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[-1])
    stylizer = SlowToBegin(save_negative(tmp_path / "negative.onnx"))
    assert frame_time(stylizer, (40, 30), runs=3) == pytest.approx(FrameTime(500.0, 2.0))
    assert shapes == [(30, 40, 3)] * (3 + WARM_UP_RUNS)
