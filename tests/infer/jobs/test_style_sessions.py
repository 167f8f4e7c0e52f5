import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.infer import Stylizer, UserError
from nst.infer.engine.tiling.tiles import Tiling
from nst.infer.jobs.batch import Batch, Crew, Halt, Halted
from nst.infer.jobs.one_photo import Painted
from nst.infer.jobs.style_sessions import (
    StyleSettings,
    open_styles,
    ready,
    share_memory,
    workers_in,
)
from nst.infer.memory import NETWORK_BYTES
from nst.infer.treatment import AS_TRAINED


@pytest.mark.parametrize("crew", [Crew(1, 2), Crew(2, 1)])
def test_styles_for_one_and_for_many(crew: Crew, invert_bytes: Path, invert_255: Path) -> None:
    settings = StyleSettings([invert_bytes, invert_255], threads=2)
    styles = open_styles(settings, crew, Halt())
    picture = Image.new("RGB", (20, 20), (1, 2, 3))
    for alone in (False, True):
        assert [style.name for style in styles(alone)] == ["invert", "invert_255"]
        for style in styles(alone):
            stylized = np.asarray(style.stylize(picture).image)
            np.testing.assert_array_equal(stylized[0, 0], [254, 253, 252])
        assert styles(alone) is styles(alone)
    assert (styles(True) is styles(False)) == (crew.workers == 1)


def test_a_style_that_cannot_be_used_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_text("hello")
    for crew in (Crew(1, 2), Crew(2, 1)):
        with pytest.raises(UserError, match="it is not an ONNX model"):
            open_styles(StyleSettings([tmp_path / "bad.onnx"]), crew, Halt())


class Slow(Stylizer):
    """Counts how many pictures it works on at a time."""

    def __init__(self) -> None:
        self.model = Path("slow.onnx")
        self.inside = self.most = 0
        self.lock = threading.Lock()

    def stylize_image(
        self,
        image: Image.Image,
        *,
        strength: float = 1.0,
        on_progress: Callable[[float], None] | None = None,
    ) -> Image.Image:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.01)
        with self.lock:
            self.inside -= 1
        if on_progress:
            on_progress(0.5)
        return image

    def tiling(self, width: int, height: int) -> Tiling:
        return Tiling(width * height, 0.5)


def test_a_device_does_one_thing_at_a_time() -> None:
    slow = Slow()
    style = ready(slow, AS_TRAINED, threading.Lock(), Halt())

    def work(image: Image.Image) -> list[Painted]:
        return [style.stylize(image)]

    pictures = [Image.new("RGB", (2, 2))] * 12
    assert len(list(Batch(work, workers=4, halt=Halt()).run(pictures))) == 12
    assert slow.most == 1


def test_a_halt_is_looked_at_between_two_tiles() -> None:
    halt = Halt()
    shares: list[float] = []
    style = ready(Slow(), AS_TRAINED, threading.Lock(), halt, shares.append)
    picture = Image.new("RGB", (2, 2))
    assert style.stylize(picture) == (picture, Tiling(4, 0.5))
    assert shares == [0.5]
    halt.ask()
    with pytest.raises(Halted):
        style.stylize(picture)


@pytest.mark.parametrize(
    ("free", "share"),
    [(None, None), (100 * NETWORK_BYTES, None), (2 * NETWORK_BYTES, int(0.4 * NETWORK_BYTES))],
)
def test_networks_share_the_memory(
    free: int | None, share: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst.infer.memory.available_bytes", lambda: free)
    assert share_memory(Crew(4, 1)) == share
    assert share_memory(Crew(4, 1), 1000) == 250


def test_small_memory_makes_fewer_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers_in(150_000_000) == 1
    assert workers_in(2_000_000_000) == 5
    monkeypatch.setattr("nst.infer.memory.available_bytes", lambda: 100_000_000)
    assert workers_in(None) == 1
    monkeypatch.setattr("nst.infer.memory.available_bytes", lambda: 10**11)
    assert workers_in(None) == 200
