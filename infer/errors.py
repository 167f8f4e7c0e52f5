"""The one exception that means: the user can mend this.

Exception
└── UserError    bad input file, bad output path, wrong option, unusable model

Everything else that escapes from the package is a bug and keeps its traceback.
"""

import errno

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def one_line(text: str) -> str:
    """Flatten a text so that it prints as one line.

    Args:
        text: any text, for instance a message that holds a file name.
    Returns:
        The text with line breaks turned to spaces and other unprintable characters escaped.
    """
    joined = " ".join(line.strip() for line in text.splitlines() if line.strip())
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in joined
    )


def os_error_reason(error: OSError) -> str:
    """What the operating system says, without number and path.

    Args:
        error: raised by a file operation.
    Returns:
        For instance "No space left on device".
    """
    return error.strerror or str(error) or type(error).__name__


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, is that nothing more can be written."""
    return any(
        isinstance(each, OSError) and each.errno in DISK_FULL
        for each in (error, getattr(error, "__cause__", None))
    )


class UserError(Exception):
    """A problem that the user can mend.

    ``str(error)`` is one line that says what is wrong and what to do.

    Args:
        message: plain text; it is flattened to one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))
