"""Models timed in turns within one run: machines drift, ratios stay."""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from nst.infer.engine.devices import choose_device
from nst.infer.engine.graph import silent_options

FRAMES_PER_TURN = 2


def frame_ms(
    models: Mapping[str, Path], *, device: str, size: str, rounds: int
) -> dict[str, float]:
    """Median time of a frame of noise, by the names of the models.

    Args:
        models: ONNX files that take ``image``, uint8, (N, H, W, 3).
        device: one of ``nst.infer.engine.devices.available_devices()``.
        size: such as 1280x720, width x height.
        rounds: turns of each model.
    """
    width, height = map(int, size.split("x"))
    frame = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    sessions = {name: open_session(path, device) for name, path in models.items()}
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(rounds + 1):
        for name, session in sessions.items():
            start = time.perf_counter()
            for _ in range(FRAMES_PER_TURN):
                session.run(None, {"image": frame})
            if turn:  # The first one allocates.
                times[name].append(1000 * (time.perf_counter() - start) / FRAMES_PER_TURN)
    return {name: statistics.median(values) for name, values in times.items()}


def open_session(model: Path, device: str) -> onnxruntime.InferenceSession:
    """Its threads stop when their turn ends, or they would slow down the others."""
    options = silent_options()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    choice = choose_device(device)
    if choice.plugin_devices:
        options.add_provider_for_devices(choice.plugin_devices, {})
    return onnxruntime.InferenceSession(model, options, providers=choice.providers or None)
