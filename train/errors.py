"""What the layers below raise, as one line for the user."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nst.infer.errors import UserError
from nst.models import ModelFileError


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn wrong settings, missing weights and too large pictures into a ``UserError``.

    Raises:
        UserError: in place of what these raise.
    """
    try:
        yield
    except (ValueError, ModelFileError) as error:
        raise UserError(str(error)) from error
    except torch.OutOfMemoryError as error:
        raise UserError("not enough memory: use a smaller --size") from error
    except RuntimeError as error:
        if "not enough memory" not in str(error):  # what torch says of a CPU's memory
            raise
        raise UserError("not enough memory: use a smaller --size") from error
    except FloatingPointError as error:
        raise UserError(f"{error}: use smaller weights, or --precision float32") from error
