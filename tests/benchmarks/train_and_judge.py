"""Our commands, called as a person would, by benchmarks that train and judge."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

MEASURES = ("total", "content", "style", "grid", "e_warp")


def run(command: str, *arguments: object) -> str:
    """What one of our commands prints; its errors and progress stay on the terminal."""
    path = Path(sys.executable).parent / command
    finished = subprocess.run(
        [str(path), *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True
    )
    return finished.stdout


def train_in(folder: Path, painting: Path, photos: Path, *flags: object) -> None:
    """``nst-train`` in a folder: goes on with what is there, and leaves what is finished."""
    if not (folder / f"{painting.stem}.onnx").exists():
        given = ("--resume", folder, "--style", painting, "--content", photos)
        run("nst-train", *flags, *given)


def judge(
    networks: Mapping[str, Path], painting: Path, photos: Path, page: Path
) -> dict[str, dict[str, float]]:
    """What ``nst-evaluate`` says of networks that learned a painting.

    Args:
        networks: run folders, by names.
        painting: the picture that they learned.
        photos: folder of photos that they were not trained on.
        page: HTML file to write.

    Returns:
        ``MEASURES``, means over the photos, by the same names.
    """
    report = run(
        "nst-evaluate",
        *networks.values(),
        *("--style", painting, "--content", photos, "--json", "--no-cost", "--overwrite"),
        *("--other-vgg-weights", "none", "--out", page),
    )
    judged = json.loads(report)["models"].values()
    return {
        name: {measure: model["measures"][measure]["mean"] for measure in MEASURES}
        for name, model in zip(networks, judged, strict=True)
    }
