"""How long a frame takes: the tiers beside ``TransformerNet``, in turns within one run.

    python tests/benchmarks/network_speed.py [--size 1280x720] [--rounds 8]

Weights do not matter for the time: the networks are fresh ones. Median of all rounds in ms, and the
ratio to ``TransformerNet`` with 32 channels.
"""

import argparse
import tempfile
from pathlib import Path

import onnx
import torch
from in_turns import frame_ms

from nst.export import build_graph
from nst.infer.engine.devices import available_devices
from nst.models import TIERS, TransformerNet, build_net


def main() -> None:
    """Print one line per network and device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720", help="width x height of a frame")
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    nets = {
        "TransformerNet": TransformerNet(),
        **{name: build_net(architecture) for name, architecture in TIERS.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        models = {name: Path(folder, f"{name}.onnx") for name in nets}
        for name, net in nets.items():
            onnx.save(build_graph(net.eval()), models[name])
        for device in available_devices():
            times = frame_ms(models, device=device, size=arguments.size, rounds=arguments.rounds)
            for name, ms in times.items():
                ratio = ms / times["TransformerNet"]
                print(f"{device:9s} {name:15s} {ms:7.1f} ms  {ratio:.4f}")


if __name__ == "__main__":
    main()
