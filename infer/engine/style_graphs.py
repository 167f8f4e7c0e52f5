"""The graph of a style, opened on a device for the strengths that are asked for."""

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from nst.infer.engine.graph import ImageGraph
from nst.infer.engine.metadata import KNOBS, STRENGTH_INPUT

if TYPE_CHECKING:
    import onnx

MOST_OPEN = 4


class GraphAt(NamedTuple):
    """A graph that gives a style at some strength.

    Attributes:
        graph: to be run.
        fed: the strength that it is run with.
        mixed: the share of its picture that is mixed with the photo's; 1 is all of it.
    """

    graph: ImageGraph
    fed: float
    mixed: float


class StyleGraphs:
    """A model on a device. Threads may share one.

    On the CPU one graph serves every strength. Plug-ins do not take optional inputs, or are slower
    with them, so on other devices the knobs become constants, in a graph for each strength.

    Args:
        model: an ONNX file, see ``ImageGraph``.
        threads: as for ``ImageGraph``.
        device: as for ``ImageGraph``.
    Attributes:
        full: the graph at full strength.
    Raises:
        UserError: as ``ImageGraph``.
    """

    def __init__(self, model: Path, *, threads: int | None, device: str) -> None:
        self.model = model
        self.threads, self.device = threads, device
        self._lock = Lock()
        self._others: dict[float, ImageGraph] = {}
        self._bakes = device != "cpu" and self._has_knob(*KNOBS)
        self.full = self._baked(1.0) if self._bakes else self.open()

    @cached_property
    def loaded(self) -> "onnx.ModelProto | None":
        """The model with its weights; None if they are kept in other files."""
        from nst.infer.engine.tiling.surgery import load_whole

        return load_whole(self.model)

    def at(self, strength: float) -> GraphAt:
        """The style at a strength, 0 to 1."""
        if strength == 1:
            return GraphAt(self.full, 1.0, 1.0)
        if self.full.has_strength:
            return GraphAt(self.full, strength, 1.0)
        if not (self._bakes and self._has_knob(STRENGTH_INPUT)):
            return GraphAt(self.full, 1.0, strength)
        graph = self._others.get(strength)
        if graph is None:
            graph = self._baked(strength)  # without the lock: others go on with theirs meanwhile
            with self._lock:
                while len(self._others) >= MOST_OPEN:
                    del self._others[next(iter(self._others))]
                self._others[strength] = graph
        return GraphAt(graph, 1.0, 1.0)

    def open(self, content: bytes | None = None) -> ImageGraph:
        """The model on its device, or another in its place."""
        return ImageGraph(self.model, threads=self.threads, device=self.device, content=content)

    def _has_knob(self, *names: str) -> bool:
        """Whether the model has one of these inputs."""
        return self.loaded is not None and any(
            port.name in names for port in self.loaded.graph.input
        )

    def _baked(self, strength: float) -> ImageGraph:
        from nst.infer.engine.tiling.surgery import bake_knobs

        assert self.loaded is not None
        return self.open(bytes(bake_knobs(self.loaded, strength).SerializeToString()))
