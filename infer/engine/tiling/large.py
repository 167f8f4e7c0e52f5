"""Pictures that are too large to go through a network at once: in tiles, without a seam."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import onnx

from nst.infer.engine.frames import Frame
from nst.infer.engine.tiling.needs import PROBE_PX, run_bytes_per_px, tensor_bytes
from nst.infer.engine.tiling.statistics import Arrays, Run, measure_statistics
from nst.infer.engine.tiling.surgery import StagedGraph, reach_px
from nst.infer.engine.tiling.tiles import Box, Tile, Tiling, cut, sample
from nst.infer.errors import UserError
from nst.infer.memory import NETWORK_BYTES, usable_bytes

Read: TypeAlias = Callable[[Box], Frame]
Write: TypeAlias = Callable[[Box, Frame], None]

TILE_SIDES_PX = (1024, 512, 256)
SAMPLE_SIDE_PX = 256
"""Of tiles that stand for a picture: many small ones meet more of it than a few large ones."""
MOST_MEASURED_PX = 16_000_000
"""Overlap included. Statistics of larger pictures come from as many tiles as have this, unless the
user gives more memory than is taken by default."""
PICTURE_BYTES_PER_PX = 8
"""Of a picture and its result, as Pillow holds them."""


class Plan(NamedTuple):
    """How a picture is cut.

    Attributes:
        painted: tiles that make up the result.
        measured: tiles whose statistics stand for those of the picture.
    """

    painted: list[Tile]
    measured: list[Tile]

    @property
    def tiling(self) -> Tiling:
        """In short."""
        painted, measured = (
            sum(tile.inner.pixels for tile in tiles) for tiles in (self.painted, self.measured)
        )
        return Tiling(len(self.painted), measured / painted if self.measured else 1.0)

    @property
    def work(self) -> int:
        """Pixels that go through the network."""
        return sum(tile.outer.pixels for tile in (*self.painted, *self.measured))


class LargePictures:
    """What has to be known of a model to run it in tiles.

    Args:
        model: that takes pictures of any size, its knobs baked in.
        name: of the file, for error messages.
        ours: whether nst exported it. Others are run whole: their operators may do anything.
    Attributes:
        can_cut: whether it can be run in tiles.
    """

    def __init__(self, model: onnx.ModelProto, name: str, *, ours: bool = True) -> None:
        self.name = name
        sizes = tensor_bytes(model)
        self.working = run_bytes_per_px(model.graph.node, sizes)
        self.graph = StagedGraph(model)
        self.can_cut = ours and self.graph.is_local
        self.overlap_px, self.waiting = 0, 0.0
        if self.can_cut:
            self.overlap_px = reach_px(model)
            self.waiting = self._waiting_per_px(sizes)

    def _waiting_per_px(self, sizes: Mapping[str, int]) -> float:
        """Bytes that wait for the statistics of a norm, the most of all norms."""
        waiting = (
            sum(sizes.get(each, 0) for each in self.graph.needed_after(number))
            for number in range(len(self.graph.norms))
        )
        return max(waiting, default=0) / PROBE_PX**2

    def plan(self, width: int, height: int, max_memory: int | None) -> Plan | None:
        """How to cut a picture so that the network stays within a limit.

        Args:
            width: of the picture, in pixels.
            height: of the picture.
            max_memory: in bytes, beside the picture and its result; None is what is free, at most
                2 GB.
        Returns:
            None for a picture that can be run whole.
        Raises:
            UserError: if it cannot be run within the limit.
        """
        limit = free_for_network(width * height) if max_memory is None else max_memory
        if width * height * self.working <= limit:
            return None
        # The other half is for what waits while statistics are measured.
        sides = [side for side in TILE_SIDES_PX if self._tile_bytes(side) <= limit / 2]
        if not self.can_cut or not sides:
            raise self._too_large(width, height, limit)
        painted = cut(width, height, side=sides[0], overlap=self.overlap_px)
        most = int((limit - self._tile_bytes(sides[0])) / max(self.waiting, 1))
        if max_memory is None:
            most = min(most, MOST_MEASURED_PX)
        return Plan(painted, self._measured(width, height, painted, most))

    def _measured(self, width: int, height: int, painted: list[Tile], most: int) -> list[Tile]:
        if not self.graph.norms:
            return []
        if sum(tile.outer.pixels for tile in painted) <= most:
            return painted
        return sample(width, height, side=SAMPLE_SIDE_PX, overlap=self.overlap_px, most_pixels=most)

    def _tile_bytes(self, side: int) -> float:
        return self.working * (side + 2 * self.overlap_px) ** 2

    def _too_large(self, width: int, height: int, limit: int) -> UserError:
        needed = width * height * self.working
        advice = "raise --max-memory or give a smaller picture"
        if not self.can_cut:
            advice += (
                "; models that nst-export writes (without --statistics) are run in tiles instead"
            )
        else:
            needed = 2 * self._tile_bytes(TILE_SIDES_PX[-1])
        return UserError(
            f"{self.name} needs {_mb(needed)} for a picture of {width}x{height} pixels, "
            f"there are {_mb(limit)} for it: {advice}"
        )


def paint_in_tiles(
    graph: StagedGraph,
    plan: Plan,
    size: tuple[int, int],
    *,
    read: Read,
    write: Write,
    inputs_of: Callable[[Frame], Arrays],
    open_stage: Callable[[bytes, Sequence[str]], Run],
    open_style: Callable[[bytes], Callable[[Frame], Frame]],
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Stylize a picture tile by tile.

    Args:
        graph: of the model, its knobs baked in.
        plan: from ``LargePictures.plan``.
        size: width and height of the picture in pixels.
        read: gives (H, W, 3) of a part of the picture.
        write: takes (H, W, 3) of a part of the result.
        inputs_of: makes a frame into the inputs of the graph.
        open_stage: see ``measure_statistics``.
        open_style: makes a serialised model into a function from frame to frame.
        on_progress: is told the share of the work that is done, 0 to 1.
    """
    done, work = 0.0, plan.work

    def report(pixels: float) -> None:
        nonlocal done
        done += pixels
        if on_progress is not None:
            on_progress(min(1.0, done / work))

    def read_inputs(tile: Tile) -> Arrays:
        return inputs_of(read(tile.outer))

    def count_measured(tile: Tile) -> None:
        report(tile.outer.pixels / len(graph.norms))

    statistics = measure_statistics(
        graph, plan.measured, size, read=read_inputs, open_stage=open_stage, on_tile=count_measured
    )
    style = open_style(graph.folded(statistics))
    for tile in plan.painted:
        write(tile.inner, style(read(tile.outer))[tile.place_of_inner()])
        report(tile.outer.pixels)


def free_for_network(pixels: int) -> int:
    """Memory that a network may take beside a picture, if nobody says otherwise, in bytes."""
    usable = usable_bytes()
    if usable is None:
        return NETWORK_BYTES
    return min(NETWORK_BYTES, usable - PICTURE_BYTES_PER_PX * pixels)


def _mb(amount: float) -> str:
    return f"{max(amount, 0) / 1e6:,.0f} MB"
