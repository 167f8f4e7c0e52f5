"""A trained network in a file: what a checkpoint says of itself, and how it is read back.

A checkpoint is a dictionary with the entry ``nst``, written by ``describe``, and the entry
``state_dict``, where the network's weights have the prefix ``net.``. Whatever else a trainer
keeps there (optimiser, schedule) is left alone.
"""

import json
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nst.models.nets import build_net
from nst.models.published import from_published, is_published
from nst.models.style_net import StyleNet
from nst.models.tensor_files import ModelFileError, read_tensor_file

ENTRY = "nst"
FORMAT = 1
PREFIX = "net."
LAST_CHECKPOINT = Path("checkpoints") / "last.ckpt"
"""Where the folder of a run keeps its newest checkpoint."""
PREVIOUS_CHECKPOINT = LAST_CHECKPOINT.with_name("previous.ckpt")
"""Where it keeps the one before."""


@dataclass(frozen=True)
class TrainedNet:
    """A network with its weights, and where they come from.

    Attributes:
        net: in evaluation mode, on the CPU, float32.
        style: name of the style.
        training: settings of the training, JSON types only; empty where unknown.
        credit: title, artist, year and license of the painting, as far as they are known.
        painting: (1, 3, H, W), RGB in [0, 1], as it was trained with; None where unknown.
    """

    net: StyleNet
    style: str
    training: Mapping[str, Any] = field(default_factory=dict)
    credit: Mapping[str, str] = field(default_factory=dict)
    painting: Tensor | None = None


def describe(
    net: StyleNet,
    *,
    style: str,
    training: Mapping[str, Any],
    credit: Mapping[str, str] | None = None,
    painting: Tensor | None = None,
) -> dict[str, Any]:
    """What a checkpoint has to say so that ``load_trained_net`` can read it.

    For the arguments see ``TrainedNet``. The painting is kept as bytes.
    """
    return {
        "format": FORMAT,
        "architecture": dict(net.architecture),
        "style": style,
        "training": dict(training),
        "credit": dict(credit or {}),
        "painting": None if painting is None else painting.mul(255).round().byte().cpu(),
    }


def load_trained_net(path: Path) -> TrainedNet:
    """Read a checkpoint of ours, or one of pytorch/examples.

    Args:
        path: the file, or the folder of a run. Nothing that it holds is run.
    Raises:
        ModelFileError: if it is missing, damaged, of another program, of a newer version, or
            has weights that are not finite.
    """
    with suppress(OSError):  # reading it tells what is wrong
        if path.is_dir():
            path = path / LAST_CHECKPOINT
    content = read_tensor_file(path)
    if ENTRY in content:
        trained = _load_ours(content, path)
    elif is_published(content):
        trained = TrainedNet(from_published(content).eval(), style=path.stem)
    else:
        raise ModelFileError(
            f"{path} is no checkpoint of nst-train or of pytorch/examples fast_neural_style"
        )
    if not all(torch.isfinite(value).all() for value in trained.net.state_dict().values()):
        raise ModelFileError(f"{path} holds weights that are not finite: the training diverged")
    return trained


def _load_ours(content: Mapping[str, Any], path: Path) -> TrainedNet:
    try:
        about = content[ENTRY]
        if about["format"] > FORMAT:
            raise ModelFileError(f"{path} was written by a newer nst: update this one")
        net = build_net(about["architecture"])
        net.load_state_dict(
            {
                key.removeprefix(PREFIX): value.float()
                for key, value in content["state_dict"].items()
                if key.startswith(PREFIX)
            }
        )
        style = printable(Path(about["style"]).name)
        if style in ("", ".."):
            raise ValueError(f"its style has no proper name: {about['style']!r}")
        return TrainedNet(
            net.eval(),
            style=style,
            training=json.loads(json.dumps(about["training"], allow_nan=False)),
            credit={name: str(value) for name, value in about.get("credit", {}).items()},
            painting=_painting(about.get("painting")),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        reason = textwrap.shorten(str(error), 200, placeholder=" ...")
        raise ModelFileError(f"{path} does not fit this version of nst: {reason}") from error


def _painting(stored: Tensor | None) -> Tensor | None:
    """Bytes to [0, 1]."""
    if stored is None:
        return None
    if stored.dtype != torch.uint8 or stored.dim() != 4 or stored.shape[:2] != (1, 3):
        raise ValueError("its painting is no picture")
    return stored / 255


def printable(name: str) -> str:
    """A name with ``_`` for each character that cannot be shown.

    Such as the narrow space that macOS puts into the names of screenshots.
    """
    return "".join(char if char.isprintable() else "_" for char in name)
