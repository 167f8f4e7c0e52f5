import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import nst.infer.engine.devices as devices
from nst.infer import Stylizer, UserError
from nst.infer.engine.devices import (
    DEVICES,
    PROBE,
    available_devices,
    choose_device,
    plugins,
    resolve_device,
    why_not,
    why_not_built_in,
)

Installed = Callable[..., None]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """Pretend that other providers are here."""

    def install(
        *,
        built_in: list[str] | None = None,
        hardware: list[str] | None = None,
        plugin: dict[str, str] | None = None,
    ) -> None:
        names = ["CPUExecutionProvider", *(built_in or [])]
        found = [SimpleNamespace(ep_name=name) for name in hardware or []]
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
        monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: found)
        monkeypatch.setattr(devices, "plugins", lambda: plugin or {})
        why_not_built_in.cache_clear()

    yield install
    why_not_built_in.cache_clear()


def test_there_is_always_a_cpu(installed: Installed) -> None:
    installed()
    assert available_devices() == ["cpu"]
    assert choose_device("cpu") == ("CPUExecutionProvider", ["CPUExecutionProvider"], [])
    assert resolve_device("cpu") == ("cpu", "")
    assert resolve_device("auto") == ("cpu", "cpu is the fastest device that works here")


def test_an_unknown_device() -> None:
    with pytest.raises(UserError, match=r"unknown device gpu: use one of auto, cuda, .*, cpu, "):
        resolve_device("gpu")


@pytest.mark.parametrize(
    ("device", "line"),
    [
        ("openvino", "pip install 'nst[openvino]'"),
        ("tensorrt", "pip install 'nst[nvidia]'"),
        ("webgpu", "pip install 'nst[webgpu]'"),
        ("cuda", "pip install 'onnxruntime-gpu[cuda,cudnn]'"),
        ("directml", "pip install onnxruntime-directml"),
        ("coreml", "pip install onnxruntime (needs macOS)"),
    ],
)
def test_an_absent_device_says_what_to_install(
    installed: Installed, device: str, line: str
) -> None:
    installed()
    with pytest.raises(UserError) as caught:
        resolve_device(device)
    assert str(caught.value).startswith(f"the device {device} cannot be used here: not installed: ")
    assert line in str(caught.value)


def test_auto_takes_the_first_of_the_table(installed: Installed) -> None:
    installed(hardware=["WebGpuExecutionProvider", "NvTensorRTRTXExecutionProvider"])
    assert available_devices() == ["cpu"]  # nothing of theirs is installed
    plugin = {"onnxruntime_ep_webgpu": "", "onnxruntime_ep_nv_tensorrt_rtx": ""}
    installed(hardware=["WebGpuExecutionProvider", "NvTensorRTRTXExecutionProvider"], plugin=plugin)
    assert available_devices() == ["cpu", "tensorrt", "webgpu"]
    assert resolve_device("auto").device == "tensorrt"
    assert choose_device("auto").provider == "NvTensorRTRTXExecutionProvider"
    assert resolve_device("webgpu") == ("webgpu", "")
    assert choose_device("webgpu")[2] == [SimpleNamespace(ep_name="WebGpuExecutionProvider")]


def test_auto_falls_back_and_says_why(installed: Installed) -> None:
    installed(
        hardware=["OpenVINOExecutionProvider"],
        plugin={
            "onnxruntime_ep_nv_tensorrt_rtx": "libcuda.so.1: cannot open",
            "onnxruntime_ep_webgpu": "",
            "onnxruntime_ep_openvino": "",
        },
    )
    device, why = resolve_device("auto")
    assert device == "openvino"
    assert why == (
        "openvino is the fastest device that works here, not tensorrt: its library cannot be "
        "loaded: libcuda.so.1: cannot open (needs an NVIDIA RTX GPU with its driver), not "
        "webgpu: it finds no hardware (needs a GPU, and on Linux libvulkan1)"
    )
    with pytest.raises(UserError, match=r"tensorrt cannot be used here: its library .*libcuda"):
        resolve_device("tensorrt")


def test_auto_never_gets_to_coreml(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(built_in=["CoreMLExecutionProvider"])
    monkeypatch.setattr(devices, "why_not_built_in", lambda name: "")
    assert resolve_device("auto") == ("cpu", "cpu is the fastest device that works here")
    assert available_devices() == ["cpu", "coreml"]
    both = ["CoreMLExecutionProvider", "CPUExecutionProvider"]
    assert choose_device("coreml") == (both[0], both, [])


@pytest.mark.filterwarnings("ignore:Specified provider 'CUDA:UserWarning")
def test_a_provider_whose_libraries_are_missing(installed: Installed) -> None:
    """What onnxruntime-gpu is without CUDA: it names a provider that no session gets."""
    installed(built_in=["CUDAExecutionProvider"])
    assert why_not("cuda").startswith("its libraries cannot be loaded (needs an NVIDIA GPU")
    device, why = resolve_device("auto")
    assert device == "cpu"
    assert "not cuda: its libraries cannot be loaded" in why


def test_a_provider_that_fails_when_it_runs(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *arguments: object, **options: object) -> None:
            pass

        def run(self, *arguments: object) -> None:
            raise RuntimeError("no kernel image")

    installed(built_in=["DmlExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Broken)
    assert "no kernel image (needs Windows" in why_not("directml")


@pytest.mark.filterwarnings("ignore:Duplicate provider:UserWarning")
def test_the_probe_runs() -> None:
    assert why_not_built_in.__wrapped__("CPUExecutionProvider") == ""
    port = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1, 1, 1)) for name in ("x", "y")
    ]
    weight = numpy_helper.from_array(np.full((1, 1, 1, 1), 2, np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "probe", port[:1], port[1:], [weight])
    opset = helper.make_opsetid("", 13)
    expected = helper.make_model(graph, opset_imports=[opset], ir_version=7)
    found = onnx.load_model_from_string(PROBE)
    onnx.checker.check_model(found)
    assert found == expected


def plugin_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    module = ModuleType(name)
    module.get_library_path = lambda: f"/lib/{name}.so"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)


def test_plugins_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[tuple[str, str]] = []
    plugin_module(monkeypatch, "onnxruntime_ep_webgpu")
    found = [SimpleNamespace(name="onnxruntime_ep_webgpu"), SimpleNamespace(name="numpy")]
    monkeypatch.setattr("pkgutil.iter_modules", lambda: found)
    monkeypatch.setattr(
        onnxruntime,
        "register_execution_provider_library",
        lambda name, path: registered.append((name, path)),
    )
    assert plugins.__wrapped__() == {"onnxruntime_ep_webgpu": ""}
    assert registered == [("onnxruntime_ep_webgpu", "/lib/onnxruntime_ep_webgpu.so")]


def test_broken_plugins_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin_module(monkeypatch, "onnxruntime_ep_webgpu")
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_other", ModuleType("onnxruntime_ep_other"))
    names = ["onnxruntime_ep_nowhere", "onnxruntime_ep_other", "onnxruntime_ep_webgpu"]
    monkeypatch.setattr("pkgutil.iter_modules", lambda: [SimpleNamespace(name=n) for n in names])
    reasons = plugins.__wrapped__()
    assert reasons["onnxruntime_ep_nowhere"] == "No module named 'onnxruntime_ep_nowhere'"
    assert "has no attribute 'get_library_path'" in reasons["onnxruntime_ep_other"]
    assert reasons["onnxruntime_ep_webgpu"].startswith("/lib/onnxruntime_ep_webgpu.so: cannot open")


def test_cuda_of_pip_is_loaded_before_the_provider(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded: list[str] = []

    def preload() -> None:
        loaded.append("CUDA")
        print("no CUDA")

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload)
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: 1 / 0)
    installed(built_in=["CUDAExecutionProvider"])
    with pytest.raises(ZeroDivisionError):
        why_not("cuda")
    assert loaded == ["CUDA"]
    assert capfd.readouterr().out == ""


def test_a_device_whose_libraries_are_missing(
    invert_bytes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = devices.Choice("CUDAExecutionProvider", ["CPUExecutionProvider"], [])
    monkeypatch.setattr("nst.infer.engine.graph.choose_device", lambda device: choice)
    with pytest.raises(UserError, match="the device cuda cannot be used"):
        Stylizer(invert_bytes, device="cuda")


def test_openvino_gives_the_cpus_picture(invert_bytes: Path) -> None:
    pytest.importorskip("onnxruntime_ep_openvino", reason="there is none for this machine")
    assert resolve_device("auto").device == "openvino"
    frame = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
    stylized = Stylizer(invert_bytes, device="openvino")(frame)
    assert np.abs(stylized.astype(int) - (255 - frame.astype(int))).max() <= 1


def test_every_plugin_has_an_extra_or_onnxruntime_of_its_own() -> None:
    text = (Path(__file__).resolve().parents[3] / "pyproject.toml").read_text()
    for provider in DEVICES.values():
        assert provider.plugin == "" or provider.plugin.startswith(devices.PLUGIN_PREFIX)
        if "nst[" in provider.install:
            extra = provider.install.partition("nst[")[2].partition("]")[0]
            assert f'{extra} = ["{provider.plugin.replace("_", "-")}' in text
