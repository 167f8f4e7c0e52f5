"""The devices that onnxruntime can use here: its own providers and installed plug-ins."""

import io
import pkgutil
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from nst.infer.errors import UserError, one_line

PLUGIN_PREFIX = "onnxruntime_ep_"
AUTO = "auto"

PROBE = (
    b'\x08\x07:g\n\x0f\n\x01x\n\x01w\x12\x01y"\x04Conv\x12\x05probe*\x13\x08\x01\x08\x01\x08\x01\x08'
    b"\x01\x10\x01B\x01wJ\x04\x00\x00\x00@Z\x1b\n\x01x\x12\x16\n\x14\x08\x01\x12\x10\n\x02\x08\x01\n"
    b"\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x01b\x1b\n\x01y\x12\x16\n\x14\x08\x01\x12\x10\n\x02\x08\x01"
    b"\n\x02\x08\x01\n\x02\x08\x01\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""An ONNX model of one convolution, from ``x`` to ``y``, both float32 (1, 1, 1, 1)."""


class Provider(NamedTuple):
    """What stands behind a device.

    Attributes:
        name: onnxruntime's name of the provider.
        install: what brings it.
        needs: what it runs on.
        plugin: the module of its plug-in package, "" where onnxruntime itself has it.
        tested: whether nst was run on it.
    """

    name: str
    install: str
    needs: str
    plugin: str = ""
    tested: bool = False


DEVICES = {
    "cuda": Provider(
        "CUDAExecutionProvider",
        "pip uninstall onnxruntime, then pip install 'onnxruntime-gpu[cuda,cudnn]'",
        "an NVIDIA GPU with its driver",
        plugin="onnxruntime_ep_cuda",
    ),
    "tensorrt": Provider(
        "NvTensorRTRTXExecutionProvider",
        "pip install 'nst[nvidia]'",
        "an NVIDIA RTX GPU with its driver",
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
    ),
    "directml": Provider(
        "DmlExecutionProvider",
        "pip uninstall onnxruntime, then pip install onnxruntime-directml",
        "Windows and a GPU",
    ),
    "webgpu": Provider(
        "WebGpuExecutionProvider",
        "pip install 'nst[webgpu]'",
        "a GPU, and on Linux libvulkan1",
        plugin="onnxruntime_ep_webgpu",
    ),
    "openvino": Provider(
        "OpenVINOExecutionProvider",
        "pip install 'nst[openvino]'",
        "Linux or Windows on x86-64",
        plugin="onnxruntime_ep_openvino",
        tested=True,
    ),
    "cpu": Provider("CPUExecutionProvider", "pip install onnxruntime", "nothing", tested=True),
    "coreml": Provider("CoreMLExecutionProvider", "pip install onnxruntime", "macOS"),
}
"""Devices in order of preference: ``auto`` takes the first that works.

``tensorrt`` compiles for each size of picture, so that ``cuda`` comes first. ``coreml`` stands
after ``cpu``, where ``auto`` never gets: every onnxruntime for macOS has it, and nst has not been
run on it.
"""


class Choice(NamedTuple):
    """What a session is opened with: names of providers, or devices of a plug-in.

    ``provider`` is the one that has to be there in the end.
    """

    provider: str
    providers: list[str]
    plugin_devices: list[Any]


class Resolved(NamedTuple):
    """A device that works here, and why it was taken, "" if it was asked for by its name."""

    device: str
    why: str


def available_devices() -> list[str]:
    """Devices that sessions can be opened on, ``cpu`` first, then in order of preference."""
    others = [device for device in DEVICES if device != "cpu" and not why_not(device)]
    return ["cpu", *others]


def resolve_device(device: str) -> Resolved:
    """Find a device to run on.

    Args:
        device: one of ``DEVICES``, or ``auto``.
    Returns:
        The device, never ``auto``; for ``auto`` with one line that says why, and why devices that
        are installed and would be faster were left out.
    Raises:
        UserError: if the device is unknown, or cannot be used here; it says what to install.
    """
    if device != AUTO:
        choose_device(device)
        return Resolved(device, "")
    left_out = []
    for each in DEVICES:
        reason = why_not(each)
        if not reason:
            break
        if is_installed(each):
            left_out.append(f", not {each}: {reason}")
    return Resolved(each, f"{each} is the fastest device that works here{''.join(left_out)}")


def choose_device(device: str) -> Choice:
    """Find out how to open a session on a device.

    Args:
        device: one of ``DEVICES``, or ``auto``.
    Raises:
        UserError: if it is unknown or cannot be used here; it says what to install.
    """
    import onnxruntime

    if device == AUTO:
        device = resolve_device(AUTO).device
    if device not in DEVICES:
        raise UserError(f"unknown device {device}: use one of {', '.join((AUTO, *DEVICES))}")
    name = DEVICES[device].name
    if device == "cpu":
        return Choice(name, [name], [])
    reason = why_not(device)
    if reason:
        raise UserError(f"the device {device} cannot be used here: {reason}")
    # A plug-in, once registered, is among the available providers too, but not to be had by name.
    found = [each for each in onnxruntime.get_ep_devices() if each.ep_name == name]
    return Choice(name, [], found[:1]) if found else _built_in(name)


def is_installed(device: str) -> bool:
    """Whether onnxruntime has the provider of a device or there is a plug-in package for it."""
    import onnxruntime

    provider = DEVICES[device]
    return provider.plugin in plugins() or provider.name in onnxruntime.get_available_providers()


def why_not(device: str) -> str:
    """Why a device cannot be used here, "" if it can.

    Args:
        device: one of ``DEVICES``.
    """
    import onnxruntime

    if device == "cpu":
        return ""
    provider = DEVICES[device]
    if not is_installed(device):
        return f"not installed: {provider.install} (needs {provider.needs})"
    if any(each.ep_name == provider.name for each in onnxruntime.get_ep_devices()):
        return ""
    if provider.name in onnxruntime.get_available_providers():
        reason = why_not_built_in(provider.name)
    else:
        broken = plugins()[provider.plugin]
        reason = f"its library cannot be loaded: {broken}" if broken else "it finds no hardware"
    return f"{reason} (needs {provider.needs})" if reason else ""


@cache
def why_not_built_in(name: str) -> str:
    """Why a provider of onnxruntime itself cannot be used, "" if it can.

    onnxruntime names them before it loads their libraries: a session tells.

    Args:
        name: onnxruntime's name of the provider.
    """
    import numpy as np
    import onnxruntime

    from nst.infer.engine.graph import SILENT, run_errors, silent_options

    if name == DEVICES["cuda"].name:
        with redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()  # CUDA as pip installs it is not found otherwise
    onnxruntime.set_default_logger_severity(SILENT)
    try:
        with run_errors(Path("probe")):
            session = onnxruntime.InferenceSession(
                PROBE, silent_options(), _built_in(name).providers, enable_fallback=0
            )
            session.run(None, {"x": np.ones((1, 1, 1, 1), np.float32)})
    except UserError as error:
        return str(error)
    finally:
        onnxruntime.set_default_logger_severity(2)  # warnings, as onnxruntime begins
    return "" if name in session.get_providers() else "its libraries cannot be loaded"


def _built_in(name: str) -> Choice:
    return Choice(name, [name, DEVICES["cpu"].name], [])


@cache
def plugins() -> dict[str, str]:
    """Make the providers of all installed plug-in packages known, once per process.

    Returns:
        The module of each package, and why it cannot be used, "" if it can.
    """
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail

    found = {}
    for module in pkgutil.iter_modules():
        if not module.name.startswith(PLUGIN_PREFIX):
            continue
        found[module.name] = ""
        try:
            path = import_module(module.name).get_library_path()
            onnxruntime.register_execution_provider_library(module.name, path)
        except (AttributeError, Fail, ImportError, OSError, RuntimeError) as error:
            found[module.name] = one_line(str(error)).rpartition("with error: ")[2]
    return found
