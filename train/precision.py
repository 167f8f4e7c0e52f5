"""Which precision this hardware is fast in."""

from pathlib import Path

import torch

CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


def default_precision(accelerator: str = "auto") -> str:
    """``bf16-mixed`` where the hardware computes in bf16, else ``32-true``; Lightning's names.

    Args:
        accelerator: Lightning's name of it; ``auto`` is the GPU where there is one.
    """
    if accelerator != "cpu" and torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if native else "32-true"
    if accelerator in ("auto", "cpu"):
        return "bf16-mixed" if CPU_FLAGS & cpu_flags() else "32-true"
    return "32-true"


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Names of the CPU's instruction sets; empty where the system does not list them."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())
