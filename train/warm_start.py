"""What a network knows before it is trained."""

from pathlib import Path

import torch

from nst.infer.errors import UserError
from nst.infer.files import atomic_write, readable
from nst.models import StyleNet, describe, load_trained_net, tier_of
from nst.models.checkpoints import ENTRY, PREFIX

NOTHING = "none"
BASE = "base"

BASES = Path(__file__).parent / "bases"
"""Trained networks by tier, which ``pack`` wrote."""


def start_from(net: StyleNet, start: str) -> str:
    """Give a network the weights of a trained one.

    Args:
        net: to be trained; changed in place.
        start: none, base, or a checkpoint or the folder of a run. A network that has no base
            stays as it is.
    Returns:
        What it began with: base, none or the name of the file.
    Raises:
        UserError: if there is no such file, it cannot be looked for, or its network is another one.
        ModelFileError: if it cannot be read.
    """
    path = base_of(net) if start == BASE else Path(start)
    if start == NOTHING or path is None:
        return NOTHING
    with readable(path):
        if not path.exists():
            raise UserError(
                f"no file {start} to start from: give a run folder, a checkpoint, {BASE} or "
                f"{NOTHING}"
            )
    trained = load_trained_net(path).net
    if trained.architecture != net.architecture:
        raise UserError(
            f"the network of {start} is another one than that of this run: choose the same "
            f"--config, or --warm-start {NOTHING}"
        )
    net.load_state_dict(trained.state_dict())
    return BASE if start == BASE else path.name


def base_of(net: StyleNet) -> Path | None:
    """The file of the base of a network; None if there is none."""
    path = BASES / f"{tier_of(net.architecture)}.pt"
    return path if path.exists() else None


def pack(run: Path, file: Path) -> None:
    """Write the network of a run as a base: weights in half precision, and nothing else.

    Args:
        run: its folder, or a checkpoint.
        file: what is written.
    """
    trained = load_trained_net(run)
    weights = {f"{PREFIX}{name}": value.half() for name, value in trained.net.state_dict().items()}
    about = describe(trained.net, style=trained.style, training=trained.training)
    with atomic_write(file) as path:
        torch.save({ENTRY: about, "state_dict": weights}, path)
