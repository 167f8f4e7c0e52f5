import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from nst.infer.live.working_size import Size, WorkingSize, ladder


def run(
    working: WorkingSize,
    cost_s: Callable[[Size], float],
    seconds: float,
    start_s: float = 0.0,
    fps: float = 30,
) -> list[tuple[float, Size]]:
    """Frames of a camera; returns when which size was taken."""
    now_s, changes = start_s, [(start_s, working.size)]
    while now_s < start_s + seconds:
        busy_s = cost_s(working.size)
        now_s += max(busy_s, 1 / fps)
        working.observe(busy_s, now_s)
        if working.size != changes[-1][1]:
            changes.append((now_s, working.size))
    return changes


def per_megapixel(seconds: float) -> Callable[[Size], float]:
    return lambda size: seconds * math.prod(size) / 1e6


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080), (641, 479), (100, 80)])
def test_ladder(size: Size) -> None:
    steps = ladder(size)
    assert steps[0] == size
    areas = [math.prod(step) for step in steps]
    assert areas == sorted(set(areas), reverse=True)
    for width, height in steps[1:]:
        assert width % 16 == height % 16 == 0
        assert min(width, height) >= 64
    if min(size) >= 400:
        assert areas[-1] <= areas[0] / 13
        for width, height in steps:
            assert width / height == pytest.approx(size[0] / size[1], rel=0.1)


def test_the_full_size_as_long_as_it_is_fast_enough() -> None:
    working = WorkingSize(30, (1280, 720))
    assert run(working, per_megapixel(0.035), 30) == [(0, (1280, 720))]


def test_goes_down_in_a_second_to_what_fits() -> None:
    working = WorkingSize(30, (1280, 720))
    cost = per_megapixel(0.1)  # 92 ms
    changes = run(working, cost, 20)
    assert len(changes) == 2
    assert changes[1][0] < 1
    assert 0.02 < cost(working.size) < 1 / 30


def test_comes_back_up_step_by_step() -> None:
    working = WorkingSize(30, (1280, 720))
    run(working, per_megapixel(0.2), 5)
    low = working.size
    changes = run(working, per_megapixel(0.02), 30, start_s=5)
    sizes = [size for _, size in changes]
    assert sizes[0] == low
    assert sizes[-1] == (1280, 720)
    assert len(sizes) > 3
    between = [later - sooner for (sooner, _), (later, _) in pairwise(changes)]
    assert min(between) >= 2


def test_a_size_that_was_refused_is_tried_later_and_later() -> None:
    working = WorkingSize(30, (1280, 720))
    working.refuse()
    low = working.size
    assert low == ladder((1280, 720))[1]
    start_s = 0.0
    for wait_s in (4, 8, 16):
        end_s = start_s + wait_s + 1
        (_, (back_s, size)) = run(working, per_megapixel(0.01), end_s - start_s, start_s=start_s)
        assert back_s - start_s == pytest.approx(wait_s, abs=0.5)
        assert size == (1280, 720)
        working.refuse()
        assert working.size == low
        start_s = end_s


def test_the_smallest_size_is_the_end() -> None:
    working = WorkingSize(60, (640, 480))
    run(working, per_megapixel(5), 10, fps=60)
    assert working.size == ladder((640, 480))[-1]


def test_does_not_swing_between_two_sizes() -> None:
    """The larger size looks as if it would fit, and does not."""
    working = WorkingSize(30, (640, 480))

    def cost_s(size: Size) -> float:
        return 0.040 if size == (640, 480) else 0.018

    changes = run(working, cost_s, 300)
    ups = [now_s for now_s, size in changes[1:] if size == (640, 480)]
    assert len(ups) <= 9
    assert ups[-1] - ups[-2] > 30


def test_a_single_slow_frame_changes_nothing() -> None:
    working = WorkingSize(30, (640, 480))
    for number in range(300):
        working.observe(0.5 if number % 10 == 0 else 0.02, number / 30)
    assert working.size == (640, 480)


def test_a_cost_between_two_sizes_is_settled() -> None:
    """Any cost: after ten seconds it changes at most once a minute."""
    for tenths in range(2, 60):
        working = WorkingSize(30, (640, 480))
        changes = run(working, per_megapixel(tenths / 100), 70)
        assert sum(now_s > 10 for now_s, _ in changes) <= 1, tenths
