import pytest
from live_parts import Script, grey_frames

from nst.infer.live.paced import Paced


def test_frames_come_at_their_times() -> None:
    now_s = 100.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now_s
        slept.append(seconds)
        now_s += seconds

    clip = Script(grey_frames([1, 2, 3, 4]))
    paced = Paced(clip, clock=lambda: now_s, sleep=sleep)
    times = []
    for busy_s in (0.0, 0.03, 0.25, 0.0):
        now_s += busy_s
        frame = paced.read()
        assert frame is not None
        times.append(frame.time_s)
    assert slept == pytest.approx([0.07])
    assert times == pytest.approx([100.0, 100.1, 100.35, 100.35])
    assert paced.read() is None
    paced.close()
    assert clip.closed
