"""How onnxruntime runs a graph on a CPU."""

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime

from nst.infer.engine.graph import silent_options

REORDERS = ("ReorderInput", "ReorderOutput")


def count_reorders(model: Path) -> int:
    """How often pictures change between the plain and the blocked layout of convolutions.

    Convolution, addition and ReLU run several times faster in blocks of channels. Other operators
    leave them, and every way out and back costs a pass over memory.

    Args:
        model: an ONNX file.
    """
    with TemporaryDirectory() as folder:
        optimized = Path(folder, "optimized.onnx")
        options = silent_options()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.optimized_model_filepath = str(optimized)
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return sum(node.op_type in REORDERS for node in onnx.load(optimized).graph.node)
