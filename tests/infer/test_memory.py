import sys
from pathlib import Path

import pytest

from nst.infer.memory import available_bytes


def write(folder: Path, **contents: str) -> Path:
    for name, text in contents.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_the_machine(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  100 kB\nMemFree:  10 kB\nMemAvailable:    64 kB\n")
    assert available_bytes(meminfo, tmp_path / "none") == 64 * 1024


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 64 * 1024), ("50000\n", 35000), ("10000\n", 0)]
)
def test_a_container_has_less(limit: str, expected: int, tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemAvailable:    64 kB\n")
    cgroup = write(tmp_path, memory_max=limit, memory_current="20000\n")
    (tmp_path / "memory.stat").write_text("anon 9000\ninactive_file 5000\nactive_file 1\n")
    assert available_bytes(meminfo, cgroup) == expected


def test_other_systems_do_not_tell(tmp_path: Path) -> None:
    assert available_bytes(tmp_path / "none", tmp_path / "none") is None
    (tmp_path / "meminfo").write_text("nothing of the kind\n")
    assert available_bytes(tmp_path / "meminfo", tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_this_machine_has_some() -> None:
    free = available_bytes()
    assert free is not None
    assert 10**7 < free < 10**14
