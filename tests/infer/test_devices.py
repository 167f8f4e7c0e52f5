import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import nst.infer.devices as devices
from nst.infer import Stylizer, UserError
from nst.infer.devices import available_devices, choose_device


def test_there_is_always_a_cpu() -> None:
    assert available_devices()[0] == "cpu"
    assert choose_device("cpu") == ("CPUExecutionProvider", ["CPUExecutionProvider"], [])


def test_unknown_and_absent_devices() -> None:
    with pytest.raises(UserError, match="unknown device gpu: use one of cpu, openvino"):
        choose_device("gpu")
    with pytest.raises(UserError, match="coreml is not available here, there is cpu"):
        choose_device("coreml")


def test_plugins_are_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    registered: list[tuple[str, str]] = []
    plugin = ModuleType("onnxruntime_ep_webgpu")
    plugin.get_library_path = lambda: "/lib/webgpu.so"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    found = [SimpleNamespace(name=plugin.__name__), SimpleNamespace(name="numpy")]
    monkeypatch.setattr("pkgutil.iter_modules", lambda: found)
    monkeypatch.setattr(devices, "_registered", {})
    monkeypatch.setattr(
        onnxruntime,
        "register_execution_provider_library",
        lambda name, path: registered.append((name, path)),
    )
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    gpu = SimpleNamespace(ep_name="WebGpuExecutionProvider")
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [gpu])
    assert available_devices() == ["cpu", "webgpu"]
    assert choose_device("webgpu") == ("WebGpuExecutionProvider", [], [gpu])
    assert registered == [("onnxruntime_ep_webgpu", "/lib/webgpu.so")]


def test_a_broken_plugin_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [SimpleNamespace(name="onnxruntime_ep_nowhere")]
    monkeypatch.setattr("pkgutil.iter_modules", lambda: found)
    monkeypatch.setattr(devices, "_registered", {})
    assert "cpu" in available_devices()
    with pytest.raises(UserError, match="onnxruntime_ep_nowhere: No module named"):
        choose_device("coreml")


def test_a_device_whose_libraries_are_missing(
    invert_bytes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = devices.Choice("CUDAExecutionProvider", ["CPUExecutionProvider"], [])
    monkeypatch.setattr("nst.infer.graph.choose_device", lambda device: choice)
    with pytest.raises(UserError, match="the device cuda cannot be used"):
        Stylizer(invert_bytes, device="cuda")


def test_openvino_gives_the_cpus_picture(invert_bytes: Path) -> None:
    pytest.importorskip("onnxruntime_ep_openvino", reason="there is none for this machine")
    frame = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    stylized = Stylizer(invert_bytes, device="openvino")(frame)
    assert np.abs(stylized.astype(int) - (255 - frame.astype(int))).max() <= 1
