"""Reading files of tensors without running anything that they hold."""

import warnings
from pathlib import Path
from typing import Any

import torch


class ModelFileError(Exception):
    """A file of weights is missing, damaged, or holds something else. One line."""


def read_tensor_file(path: Path) -> dict[str, Any]:
    """Read a ``.safetensors`` file, or whatever ``torch.save`` wrote, on to the CPU.

    ``weights_only=True`` keeps a hostile pickle from running code.

    Args:
        path: the file; its suffix says which of the two it is.
    Returns:
        The dictionary that the file holds.
    Raises:
        ModelFileError: if the file is missing, damaged, or holds no dictionary.
    """
    try:
        if not path.is_file():
            raise ModelFileError(f"no such file: {path}")
        path.open("rb").close()
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if not isinstance(content, dict):
        raise ModelFileError(f"{path} holds no weights, but a {type(content).__name__}")
    return content


def _read_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols; what cannot be read is an error
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelFileError(f"{path} is damaged or no PyTorch file of weights") from error


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path} is damaged or no safetensors file") from error
