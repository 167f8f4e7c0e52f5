"""How much memory is free, so that work which cannot fit is refused before it begins."""

from pathlib import Path

NETWORK_BYTES = 2 * 1024**3
"""What a network takes at most, unless the user gives it more."""

FREE_SHARE = 0.8
"""Of the free memory that may be taken."""

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Memory that can be had without swapping: of the machine, or of the container if that is less.

    Args:
        meminfo: where Linux tells it for the machine.
        cgroup: where it tells it for the container.
    Returns:
        Bytes; None on systems that do not tell.
    """
    known = [free for free in (_of_machine(meminfo), _of_container(cgroup)) if free is not None]
    return min(known, default=None)


def usable_bytes() -> int | None:
    """What of the memory may be taken; None on systems that do not tell."""
    free = available_bytes()
    return None if free is None else int(FREE_SHARE * free)


def _of_machine(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _of_container(cgroup: Path) -> int | None:
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        used = int((cgroup / "memory.current").read_text())
        statistics = (cgroup / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    # Cached files count as used and are given up when memory is needed.
    cached = sum(int(line.split()[1]) for line in statistics if line.startswith("inactive_file "))
    return max(0, int(limit) - used + cached)
