"""The settings of a run that are not the defaults."""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import yaml

from nst.train.callbacks.run_folder import RunFolder
from nst.train.commands.arguments import SHORT_NAMES
from nst.train.commands.settings import DEFAULT_MAX_STEPS, TRAINER_DEFAULTS
from nst.train.photos import PhotoDataModule
from nst.train.precision import default_precision
from nst.train.system import StyleTransferSystem

CLASSES = {"model": StyleTransferSystem, "data": PhotoDataModule, "run": RunFolder}
TOLD_ELSEWHERE = (
    *("model.style", "model.net", "model.credit"),
    *("run.out", "run.overwrite", "run.report"),
)
"""Settings, and groups of them, that the page shows in other places, or that say nothing later."""

UNSAID = ("trainer.max_steps", -1)
"""Where no length was named in steps."""


class Setting(NamedTuple):
    """Flag, value and default, as they are typed."""

    flag: str
    value: str
    default: str


def read_settings(config: str) -> dict[str, Any]:
    """The settings by their full names, such as ``data.crop_px``.

    Args:
        config: YAML.
    Returns:
        Nothing if it is no YAML of settings.
    """
    try:
        return flat(yaml.safe_load(config))
    except yaml.YAMLError:
        return {}


def changed_settings(settings: Mapping[str, Any]) -> list[Setting]:
    """Those that are not the defaults, in the order of the file."""
    defaults = default_settings(str(settings.get("trainer.accelerator")))
    full_names = {full.removeprefix("--"): short for short, full in SHORT_NAMES.items()}
    return [
        Setting(full_names.get(name, f"--{name}"), shown(value), shown(defaults[name]))
        for name, value in settings.items()
        if name in defaults
        and value != defaults[name]
        and (name, value) != UNSAID
        and not is_told_elsewhere(name)
    ]


def is_told_elsewhere(name: str) -> bool:
    """Whether a setting, or the group that it is in, has its own place on the page."""
    return any(name == told or name.startswith(f"{told}.") for told in TOLD_ELSEWHERE)


def default_settings(accelerator: str) -> dict[str, Any]:
    """What the settings are if nothing is said, on this hardware.

    Args:
        accelerator: of the run, which decides about the precision.
    """
    trainer = {
        **signature_defaults(pl.Trainer),
        **TRAINER_DEFAULTS,
        "max_steps": DEFAULT_MAX_STEPS,
        "precision": default_precision(accelerator),
    }
    parts = {name: signature_defaults(each) for name, each in CLASSES.items()}
    return flat({"seed_everything": 0, "trainer": trainer, **parts})


def signature_defaults(part: type) -> dict[str, Any]:
    """The defaults of a class's arguments, in types that YAML has."""
    return {
        name: plain(parameter.default)
        for name, parameter in inspect.signature(part).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


def plain(value: Any) -> Any:
    """As YAML gives it back."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def flat(nested: Any, prefix: str = "") -> dict[str, Any]:
    """Dictionaries in dictionaries as one, with dots in its keys."""
    if not isinstance(nested, Mapping):
        return {}
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found


def shown(value: Any) -> str:
    """For people."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
