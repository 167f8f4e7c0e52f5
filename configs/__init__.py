"""Settings for nst-train that come with the package, by name: ``nst-train --config NAME``."""

from importlib.resources import files
from pathlib import Path


def config_names() -> list[str]:
    """Names of the settings that come with the package, sorted."""
    return sorted(
        Path(entry.name).stem
        for entry in files("nst.configs").iterdir()
        if entry.name.endswith(".yaml")
    )


def config_path(name: str) -> Path:
    """Path of the YAML file of that name.

    Raises:
        KeyError: if there is none.
    """
    if name not in config_names():
        raise KeyError(name)
    return Path(str(files("nst.configs"))) / f"{name}.yaml"
