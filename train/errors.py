"""What the layers below raise, as one line for the user."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from nst.infer.errors import UserError
from nst.infer.memory import available_bytes
from nst.models import ModelFileError

ALLOCATION_FAILURES = ("can't allocate memory", "not enough memory", "could not create a memory")
"""What torch and oneDNN say where a CPU's memory is used up."""
GPU_ALLOCATION_FAILURES = (
    "CUDA error: out of memory",
    "CUDA out of memory",
    *("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "CUDNN_STATUS_NOT_INITIALIZED"),
)
"""What CUDA and its libraries say besides ``torch.OutOfMemoryError``, where others fill a GPU."""


@contextmanager
def wrong_settings() -> Iterator[None]:
    """Turn wrong settings and weights that cannot be had into a ``UserError``.

    For the building of objects alone: later a ValueError is a mistake of ours.

    Raises:
        UserError: in place of ValueError and ModelFileError.
    """
    try:
        yield
    except (ValueError, ModelFileError) as error:
        raise UserError(str(error)) from error


@contextmanager
def enough_memory(remedy: str) -> Iterator[None]:
    """Turn what torch raises without memory into a ``UserError``.

    Args:
        remedy: what the user can do.
    Raises:
        UserError: if memory of the CPU or of a GPU is used up.
    """
    try:
        yield
    except MemoryError as error:
        raise UserError(f"not enough memory: {remedy}") from error
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or says(error, GPU_ALLOCATION_FAILURES):
            remedy = f"{remedy}, and see with nvidia-smi whether another program has it"
            raise UserError(f"not enough memory on the GPU: {remedy}") from error
        if not says(error, ALLOCATION_FAILURES):
            raise
        raise UserError(f"not enough memory: {remedy}") from error


def says(error: RuntimeError, failures: Sequence[str]) -> bool:
    """Whether one of the texts is in its message."""
    return any(failure in str(error) for failure in failures)


@contextmanager
def failed_work() -> Iterator[None]:
    """Turn what large pictures and wild settings lead to into a ``UserError``.

    Raises:
        UserError: in place of what torch raises without memory, and of FloatingPointError.
    """
    try:
        with enough_memory("use a smaller --size"):
            yield
    except FloatingPointError as error:
        raise UserError(f"{error}: use smaller weights, or float32") from error


def refuse_too_large(needed_bytes: int, *, what: str, flag: str) -> None:
    """Refuse work that does not fit into the memory, which Linux would otherwise kill.

    Args:
        needed_bytes: an estimate.
        what: what needs it, the start of the message.
        flag: what makes it smaller, the end of the message.
    Raises:
        UserError: if more is needed than is free.
    """
    free = available_bytes()
    if free is not None and needed_bytes > free:
        raise UserError(
            f"{what} needs about {needed_bytes / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are "
            f"free: use a smaller {flag}"
        )
