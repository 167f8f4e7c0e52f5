"""What a run needs of memory and disk, as far as a few steps show it."""

import io
import math
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch

from nst.infer.memory import available_bytes
from nst.train.callbacks.history import ROW_STEPS, TERMS
from nst.train.callbacks.trial import PreviewCost
from nst.train.commands.settings import TrainCLI

STATUS = Path("/proc/self/status")

EXPORT_BYTES = 300_000_000
"""About what the export takes beside what the training holds."""

CHECKPOINTS = 3
"""The last, the one before, and one that is being written."""
STATES = 3
"""In each of them: the newest, and two that the guard may go back to."""
PREVIEW_COPIES = 2
"""In its folder, and in TensorBoard's file."""
ROW_BYTES = 100
SCALAR_BYTES = 60
"""Of a row of the history and of a scalar in TensorBoard's file, about."""


class Need(NamedTuple):
    """Bytes that are needed and bytes that are free; None where the system does not tell."""

    needed: int | None
    free: int | None


def run_folder_bytes(cli: TrainCLI, *, steps: float, preview: PreviewCost) -> int:
    """Size that a run folder grows to.

    Args:
        cli: after some steps.
        steps: of the run.
        preview: what each preview takes.
    """
    state = {
        "state_dict": cli.model.state_dict(),
        "optimizer_states": [each.state_dict() for each in cli.trainer.optimizers],
    }
    about: dict[str, Any] = {}
    cli.model.on_save_checkpoint(about)
    checkpoint = STATES * saved_bytes(state) + saved_bytes(about)
    previews = max(1, math.ceil(steps / cli.run_folder.preview_every))
    network: int = sum(value.numel() * value.element_size() for value in cli.model.net.parameters())
    log_steps: int = cli.config.trainer.log_every_n_steps
    scalars = steps / log_steps * len(TERMS) * SCALAR_BYTES
    rows = steps / ROW_STEPS * ROW_BYTES
    return round(
        CHECKPOINTS * checkpoint
        + PREVIEW_COPIES * previews * preview.size_bytes
        + network
        + scalars
        + rows
    )


def saved_bytes(content: dict[str, Any]) -> int:
    """Size of a file of tensors."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.tell()


def free_disk_bytes(folder: Path) -> int:
    """What is free where a folder is, or would be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def memory_need(device: torch.device, *, export: bool) -> Need:
    """The most that a run takes, and what there is: of a GPU, or for this process.

    Args:
        device: that trains, and has done some steps.
        export: whether the run exports its network, which is done without a GPU.
    """
    if device.type == "cuda":
        on_gpu, _ = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device)
        return Need(torch.cuda.max_memory_reserved(device), on_gpu + held)
    peak, taken, free = memory_bytes("VmHWM"), memory_bytes("VmRSS"), available_bytes()
    if peak is None or taken is None or free is None:
        return Need(None, None)
    return Need(peak + EXPORT_BYTES if export else peak, taken + free)


def memory_bytes(name: str, status: Path = STATUS) -> int | None:
    """Memory of this process.

    Args:
        name: VmRSS for what it has, VmHWM for the most that it had.
        status: where Linux tells it.
    Returns:
        Bytes; None on systems that do not tell.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
