from pathlib import Path

import pytest

from nst.train.precision import cpu_flags, default_precision


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu avx2 avx512_bf16", "bf16-mixed"),
        ("fpu amx_bf16 amx_tile", "bf16-mixed"),
        ("fpu avx2 avx512f", "32-true"),
        ("", "32-true"),
    ],
)
def test_cpus(flags: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("nst.train.precision.cpu_flags", lambda: frozenset(flags.split()))
    assert default_precision() == precision


@pytest.mark.parametrize(("supported", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_gpus(supported: bool, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: supported)
    monkeypatch.setattr("nst.train.precision.cpu_flags", lambda: frozenset({"amx_bf16"}))
    assert default_precision() == precision
    assert default_precision("gpu") == precision
    assert default_precision("cpu") == "bf16-mixed"


def test_other_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert default_precision("mps") == "32-true"


def test_flags_are_read_from_the_system(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu vme amx_bf16\nbugs\t\t: none\n")
    assert cpu_flags(cpuinfo) == {"fpu", "vme", "amx_bf16"}
    assert cpu_flags(tmp_path / "none") == frozenset()
