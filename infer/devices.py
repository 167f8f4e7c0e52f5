"""The devices that onnxruntime can use here: its own providers and installed plug-ins."""

import pkgutil
from importlib import import_module
from typing import Any, NamedTuple

from nst.infer.errors import UserError, one_line

PLUGIN_PREFIX = "onnxruntime_ep_"

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "NvTensorRTRTXExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}
"""Device to onnxruntime's name of the provider."""

_registered: dict[str, str] = {}
"""Plug-in package to why it cannot be used, "" if it can."""


class Choice(NamedTuple):
    """What a session is opened with: names of providers, or devices of a plug-in.

    ``provider`` is the one that has to be there in the end.
    """

    provider: str
    providers: list[str]
    plugin_devices: list[Any]


def available_devices() -> list[str]:
    """Devices that sessions can be opened on, ``cpu`` first."""
    import onnxruntime

    _register_plugins()
    names = set(onnxruntime.get_available_providers())
    names |= {device.ep_name for device in onnxruntime.get_ep_devices()}
    return [device for device, name in PROVIDERS.items() if name in names]


def choose_device(device: str) -> Choice:
    """Find out how to open a session on a device.

    Args:
        device: one of ``PROVIDERS``.
    Raises:
        UserError: if it is unknown or not available here.
    """
    import onnxruntime

    if device not in PROVIDERS:
        raise UserError(f"unknown device {device}: use one of {', '.join(PROVIDERS)}")
    if device == "cpu":
        return Choice(PROVIDERS["cpu"], [PROVIDERS["cpu"]], [])
    available = available_devices()
    if device not in available:
        broken = "".join(f"; {name}: {why}" for name, why in _registered.items() if why)
        raise UserError(
            f"the device {device} is not available here, there is {', '.join(available)}: "
            f"install its onnxruntime-ep package{broken}"
        )
    name = PROVIDERS[device]
    # A plug-in, once registered, is among the available providers too, but not to be had by name.
    found = [each for each in onnxruntime.get_ep_devices() if each.ep_name == name]
    return Choice(name, [], found[:1]) if found else Choice(name, [name, PROVIDERS["cpu"]], [])


def _register_plugins() -> None:
    """Make the providers of all installed plug-in packages known, once per process."""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail

    for module in pkgutil.iter_modules():
        if not module.name.startswith(PLUGIN_PREFIX) or module.name in _registered:
            continue
        _registered[module.name] = ""
        try:
            path = import_module(module.name).get_library_path()
            onnxruntime.register_execution_provider_library(module.name, path)
        except (Fail, ImportError, OSError, RuntimeError) as error:
            _registered[module.name] = one_line(str(error))
